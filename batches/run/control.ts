import type { BatchState } from "../state/status.ts";
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
  /** Lets others have the place: the store is too busy for this chunk. */
  giveWay(): void;
  /** Whether the batch was seen to go on not long ago. */
  isFresh(): boolean;
  /** For what was learned elsewhere, such as from a checkpoint. */
  /** @param asked when the question was sent, by `performance.now()` */
  learn(state: BatchState | undefined, asked?: number): void;
  release(): void;
};

export type ChunkControls = {
  watch(batch: string): ChunkControl;
  close(): void;
};

/** How old news may be, in ms: with the time of one request, a pause takes effect well within 2 s. */
const LOOK_EVERY_MS = 250;
/** For how long a chunk may hold its place while other batches are active, in ms. */
const TURN_MS = 5000;

/** Nothing is deleted later than this after the last look that was answered, in ms: half the time after which another worker takes the chunk. */
const FRESH_MS = 7500;

type Watched = { readonly chunks: Set<ChunkControl & { halt(why: Halt): void; since: number }> };

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

  return {
    watch(batch) {
      const entry = watched.get(batch) ?? { chunks: new Set() };
      watched.set(batch, entry);
      timer ??= setInterval(look, LOOK_EVERY_MS);
      const control = createControl(() => {
        entry.chunks.delete(control);
        if (entry.chunks.size === 0) watched.delete(batch);
        if (watched.size === 0) close();
      });
      entry.chunks.add(control);
      return control;
    },
    close,
  };

  function close(): void {
    clearInterval(timer);
    timer = undefined;
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
    const { state, active } = await store.glance(batch);
    const now = Date.now();
    for (const chunk of chunks) {
      chunk.learn(state, asked);
      if (active > 1 && now - chunk.since > TURN_MS) chunk.halt("yield");
    }
  }
}

function createControl(release: () => void) {
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
    since: Date.now(),
    halt,
    giveWay: () => halt("yield"),
    isFresh: () => performance.now() - seen < FRESH_MS,
    learn(state: BatchState | undefined, asked = seen) {
      seen = Math.max(seen, asked);
      const why = state === undefined ? "cancel" : HALTS[state];
      if (why !== undefined) halt(why);
    },
    release,
  };
}
