import { isThrottle } from "../error-mapping.ts";

/** Pause after a lane was told to slow down: doubles with each time in a row. */
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 5_000;
/** Lanes remembered that are not at full speed; beyond, idle ones are forgotten. */
const MAX_LANES = 1_000;

export type AdaptiveLimiter = {
  /**
   * Runs `task` when its lane has room. One lane's SlowDown slows only that lane. Rejects with what the task rejected with,
   * or with the signal's reason while it waits.
   */
  readonly run: <Result>(
    task: () => Promise<Result>,
    options: { readonly signal: AbortSignal; readonly lane: string },
  ) => Promise<Result>;
  /** How many tasks of a lane may run at once now. */
  readonly limitOf: (lane: string) => number;
};

type Lane = {
  limit: number;
  running: number;
  /** Tells tasks that began before the last cut from those after it. */
  round: number;
  cutsInARow: number;
  pausedUntil: number;
  readonly waiting: Set<() => void>;
};

/**
 * S3 scales by prefix and answers SlowDown where it is asked for more. So each lane starts at full speed, halves once for every
 * round of requests that met a SlowDown, and gains one more at a time while all goes well.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html
 *
 * @param max tasks of one lane at once
 */
export function createAdaptiveLimiter(bounds: Bounds): AdaptiveLimiter {
  const lanes = new Map<string, Lane>();
  return {
    limitOf: (name) => Math.floor(lanes.get(name)?.limit ?? bounds.max),
    async run(task, { signal, lane: name }) {
      const lane = laneOf(lanes, name, bounds);
      signal.throwIfAborted();
      if (lane.running >= Math.floor(lane.limit) || lane.waiting.size > 0) await turn(lane, signal);
      else lane.running += 1;
      try {
        await resumed(lane, signal);
        return await paced(lane, task, bounds);
      } finally {
        lane.running -= 1;
        next(lane);
        if (lane.running === 0 && lane.waiting.size === 0 && lane.limit >= bounds.max) lanes.delete(name);
      }
    },
  };
}

type Bounds = { readonly max: number; readonly min?: number };

function laneOf(lanes: Map<string, Lane>, name: string, { max }: Bounds): Lane {
  const known = lanes.get(name);
  if (known !== undefined) return known;
  if (lanes.size >= MAX_LANES) forgetIdle(lanes);
  const lane: Lane = { limit: max, running: 0, round: 0, cutsInARow: 0, pausedUntil: 0, waiting: new Set() };
  lanes.set(name, lane);
  return lane;
}

function forgetIdle(lanes: Map<string, Lane>): void {
  for (const [name, lane] of lanes) if (lane.running === 0 && lane.waiting.size === 0) lanes.delete(name);
}

function next(lane: Lane): void {
  for (const start of lane.waiting) {
    if (lane.running >= Math.floor(lane.limit)) return;
    start();
  }
}

/** Runs a task, and learns from how it ends how fast its lane may be. */
async function paced<Result>(lane: Lane, task: () => Promise<Result>, bounds: Bounds): Promise<Result> {
  const { round } = lane;
  try {
    const result = await task();
    succeeded(lane, bounds);
    return result;
  } catch (error) {
    if (isThrottle(error)) throttled(lane, round, bounds);
    throw error;
  }
}

function succeeded(lane: Lane, { max }: Bounds): void {
  lane.cutsInARow = 0;
  // One more for each full round of successes.
  lane.limit = Math.min(max, lane.limit + 1 / Math.floor(lane.limit));
}

function throttled(lane: Lane, round: number, { min = 1 }: Bounds): void {
  // What was sent before the last cut says nothing about the speed after it.
  if (round !== lane.round) return;
  lane.round += 1;
  lane.limit = Math.max(min, lane.limit / 2);
  const pause = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** lane.cutsInARow);
  lane.cutsInARow += 1;
  lane.pausedUntil = Date.now() + pause * (0.5 + Math.random() / 2);
}

/** The lane of an object: its bucket and the first segment of its key, which is how S3 begins to divide a bucket. */
export function laneFor(bucket: string, key: string): string {
  const slash = key.indexOf("/");
  return slash < 0 ? bucket : `${bucket}/${key.slice(0, slash)}`;
}

/** Waits in line; the one that starts it has counted it as running. */
function turn(lane: Lane, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const start = (): void => {
      leave();
      lane.running += 1;
      resolve();
    };
    const onAbort = (): void => {
      leave();
      reject(signal.reason);
    };
    const leave = (): void => {
      lane.waiting.delete(start);
      signal.removeEventListener("abort", onAbort);
    };
    lane.waiting.add(start);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

function resumed(lane: Lane, signal: AbortSignal): Promise<void> | undefined {
  const left = lane.pausedUntil - Date.now();
  if (left <= 0) return undefined;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, left);
    signal.addEventListener("abort", onAbort, { once: true });
    function done(): void {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }
    function onAbort(): void {
      clearTimeout(timer);
      reject(signal.reason);
    }
  });
}
