import { type BatchState, rateOf } from "../state/status.ts";
import type { BatchStore } from "../state/store.ts";

/** Why a chunk should start nothing more. `yield`: another batch waits for its turn. */
export type Halt = "pause" | "cancel" | "fail" | "yield";

/** What a running chunk hears of its batch, between objects and without a request of its own. */
export type ChunkControl = {
  readonly halted: Halt | undefined;
  /** Aborts when `halted` is set. */
  readonly signal: AbortSignal;
  /** Aborts when what is under way should end too: on everything but a yield, also where that came first. */
  readonly stopping: AbortSignal;
  /** Objects a second that the batch is held to, by the last look; undefined: none. */
  readonly rate: number | undefined;
  /** Whether other batches wait for a place at a worker. */
  readonly crowded: boolean;
  /** Lets others have the place, as this chunk could not use it: the store is too busy, or the batch's pace holds it. Default: it comes back at once. */
  giveWay(inMs?: number): void;
  /** In how many ms it comes back after it gave way. */
  readonly backInMs: number;
  /** Whether the batch was seen to go on not long ago. */
  isFresh(): boolean;
  /**
   * For what was learned elsewhere, such as from a checkpoint.
   *
   * @param asked when the question was sent, by `performance.now()`
   */
  learn(state: BatchState | undefined, asked?: number): void;
  release(): void;
};

export type ChunkControls = {
  /** @param rate objects a second that the batch is held to, where it is: then its chunks need little of a place's time */
  watch(batch: string, options: { readonly rate: number | undefined }): ChunkControl;
  close(): void;
};

/** How old news may be, in ms: with the time of one request, a pause takes effect well within 2 s. */
const LOOK_EVERY_MS = 250;
/** In so many ms everybody who waits should have had a turn, by what this worker sees of it. */
const ROUND_MS = 5000;
/** For how long a chunk holds its place at least, however many wait: to hand it over costs some ms of work. */
const LEAST_TURN_MS = { limited: 100, free: 500 };

/** Nothing is deleted later than this after the last look that was answered, in ms: half the time after which another worker takes the chunk. */
const FRESH_MS = 7500;

type Watched = { readonly chunks: Set<ReturnType<typeof createControl>> };

const HALTS: Readonly<Record<BatchState, Halt | undefined>> = {
  planned: "cancel",
  running: undefined,
  pausing: "pause",
  paused: "pause",
  cancelling: "cancel",
  cancelled: "cancel",
  failing: "fail",
  failed: "fail",
  completed: "cancel",
};

/** One look every 250 ms for each batch at work in this process, shared by all its chunks. */
export function createControls(store: BatchStore): ChunkControls {
  const watched = new Map<string, Watched>();
  let timer: NodeJS.Timeout | undefined;
  let looking = false;
  /** What the last look saw of all batches. */
  const crowd = { waiting: 0, turnMs: ROUND_MS };

  return {
    watch(batch, { rate }) {
      const entry = watched.get(batch) ?? { chunks: new Set() };
      watched.set(batch, entry);
      timer ??= setInterval(look, LOOK_EVERY_MS);
      const release = (): void => {
        entry.chunks.delete(control);
        if (entry.chunks.size === 0) watched.delete(batch);
        if (watched.size === 0) close();
      };
      const control = createControl({ rate, crowd, release });
      entry.chunks.add(control);
      return control;
    },
    close,
  };

  function close(): void {
    clearInterval(timer);
    timer = undefined;
    crowd.waiting = 0;
  }

  function look(): void {
    if (looking) return;
    looking = true;
    Promise.all([...watched].map(([batch, entry]) => lookAt(batch, entry)))
      // Without Redis nothing can be checkpointed either, so nothing is deleted meanwhile; the next look is soon.
      .catch(() => {})
      .finally(() => {
        looking = false;
      });
  }

  async function lookAt(batch: string, { chunks }: Watched): Promise<void> {
    const asked = performance.now();
    const { state, rate, active, waiting } = await store.glance(batch);
    const places = [...watched.values()].reduce((sum, entry) => sum + entry.chunks.size, 0);
    // Alone a batch would only make room for itself.
    crowd.waiting = active > 1 ? waiting : 0;
    crowd.turnMs = (ROUND_MS * places) / (places + waiting);
    for (const chunk of chunks) {
      chunk.learn(state, asked);
      if (rate !== undefined) chunk.hold(rateOf(rate));
      chunk.endTurn();
    }
  }
}

type Crowd = { readonly waiting: number; readonly turnMs: number };
type ControlOptions = { readonly rate: number | undefined; readonly crowd: Crowd; readonly release: () => void };

function createControl({ rate, crowd, release }: ControlOptions) {
  const since = Date.now();
  let held = rate;
  let backInMs = 1;
  const controller = new AbortController();
  const stopping = new AbortController();
  let halted: Halt | undefined;
  let seen = performance.now();
  const halt = (why: Halt): void => {
    // A cancel after a pause still counts; a yield never hides a stronger reason.
    if (halted === undefined || (halted !== "cancel" && halted !== "fail" && why !== "yield")) halted = why;
    const reason = new Error(`batch halted: ${why}`);
    if (!controller.signal.aborted) controller.abort(reason);
    if (why !== "yield" && !stopping.signal.aborted) stopping.abort(reason);
  };
  return {
    get halted() {
      return halted;
    },
    signal: controller.signal,
    stopping: stopping.signal,
    get rate() {
      return held;
    },
    /** To another rate from now on. */
    hold(next: number | undefined) {
      held = next;
    },
    get crowded() {
      return crowd.waiting > 0;
    },
    get backInMs() {
      return backInMs;
    },
    /** Where others wait and it had the place for its turn. */
    endTurn() {
      const leastTurn = held === undefined ? LEAST_TURN_MS.free : LEAST_TURN_MS.limited;
      if (crowd.waiting > 0 && Date.now() - since > Math.max(leastTurn, crowd.turnMs)) halt("yield");
    },
    giveWay(inMs = 1) {
      backInMs = Math.max(1, Math.ceil(inMs));
      halt("yield");
    },
    isFresh: () => performance.now() - seen < FRESH_MS,
    learn(state: BatchState | undefined, asked = seen) {
      seen = Math.max(seen, asked);
      const why = state === undefined ? "cancel" : HALTS[state];
      if (why !== undefined) halt(why);
    },
    release,
  };
}
