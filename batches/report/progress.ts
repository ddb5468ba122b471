import { setTimeout as sleep } from "node:timers/promises";
import { type BatchStatus, isAtRest } from "../state/status.ts";

/** A look at a batch, and how fast it goes. */
export type BatchProgress = BatchStatus & {
  /** Objects brought to their end per second, over the last ten seconds of looking. */
  readonly objectsPerSecond: number;
  readonly bytesPerSecond: number;
  /** Seconds to go, where the number of objects is known and something moves. */
  readonly etaSeconds?: number;
};

/**
 * How it is read.
 *
 * @example
 * for await (const { succeeded } of batch.progress({ signal: AbortSignal.timeout(60_000) })) console.log(succeeded);
 */
export type WatchOptions = {
  /** Milliseconds between two looks. Default 500. */
  readonly interval?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

const WINDOW_MS = 10_000;
const INTERVAL_MS = 500;

type Sample = { readonly at: number; readonly objects: number; readonly bytes: number };

/** Looks again and again until the batch is at rest; that look is the last. A paused batch is waited for. */
export async function* watchProgress(
  look: () => Promise<BatchStatus>,
  { interval = INTERVAL_MS, signal }: WatchOptions = {},
): AsyncGenerator<BatchProgress> {
  const samples: Sample[] = [];
  for (;;) {
    signal?.throwIfAborted();
    const status = await look();
    samples.push({ at: Date.now(), objects: endedObjects(status), bytes: status.bytes });
    while (samples.length > 2 && (samples[1]?.at ?? 0) < Date.now() - WINDOW_MS) samples.shift();
    yield progressOf(status, samples);
    if (isAtRest(status.state)) return;
    await sleep(interval, undefined, signal === undefined ? {} : { signal });
  }
}

/** Looks until the batch is at rest, ever less often. */
export async function waitForRest(
  look: () => Promise<BatchStatus>,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<BatchStatus> {
  for (let wait = 50; ; wait = Math.min(1000, wait * 1.3)) {
    signal?.throwIfAborted();
    const status = await look();
    if (isAtRest(status.state)) return status;
    await sleep(wait, undefined, signal === undefined ? {} : { signal });
  }
}

function endedObjects({ succeeded, failed, skipped, unattempted }: BatchStatus): number {
  return succeeded + failed + skipped + unattempted;
}

function progressOf(status: BatchStatus, samples: readonly Sample[]): BatchProgress {
  const first = samples[0];
  const last = samples.at(-1);
  const seconds = first === undefined || last === undefined ? 0 : (last.at - first.at) / 1000;
  const rate = (name: "objects" | "bytes"): number =>
    seconds > 0 && first && last ? Math.max(0, (last[name] - first[name]) / seconds) : 0;
  const objectsPerSecond = rate("objects");
  const left = status.total === undefined ? undefined : status.total - endedObjects(status);
  const eta =
    left !== undefined && left >= 0 && objectsPerSecond > 0 ? { etaSeconds: Math.round(left / objectsPerSecond) } : {};
  return { ...status, objectsPerSecond, bytesPerSecond: rate("bytes"), ...eta };
}
