import { LRUCache } from "lru-cache";
import { releaseRanges } from "../../state/claim-ranges.ts";
import { healBatch } from "../../state/heal.ts";
import type { BatchJobData } from "../../state/queue.ts";
import { backoff, isFatal, isThrottle, toError } from "../retry.ts";
import { Superseded } from "../work.ts";
import type { Again, Tools } from "./tools.ts";

/** After so many tries something that does not pass by itself fails the batch. */
const MAX_TRIES = 5;
/** Jobs whose tries are remembered at once. */
const MAX_COUNTED = 10_000;

/** How often jobs failed in a row. A job that goes on at another worker leaves its count here. */
export type Tries = LRUCache<string, number>;
export const createTries = (): Tries => new LRUCache<string, number>({ max: MAX_COUNTED });

type Failure = {
  readonly data: BatchJobData;
  readonly id: string;
  readonly thrown: unknown;
  readonly signal: AbortSignal;
};

/** Nothing is lost by an error: the job comes again, or the batch fails with a reason. */
export async function afterFailure(
  { deps, store }: Tools,
  tries: Tries,
  { data, id, thrown, signal }: Failure,
): Promise<Again> {
  if (thrown instanceof Superseded) return undefined;
  if (signal.aborted) return { inMs: 0 };
  const error = toError(thrown);
  const count = (tries.get(id) ?? 0) + 1;
  tries.set(id, count);
  deps.log.warn({ job: id, err: error, tries: count }, "a batch's job will be tried again");
  if (data.kind === "due" || data.kind === "turn") return { inMs: backoff(count, { base: 1000, max: 60_000 }) };
  // A listing or an end of the batch that is refused fails every object alike; what we do not know gets some more tries.
  const hopeless =
    isFatal(error) ||
    (!error.retryable && !isThrottle(error) && (error.code !== "InternalError" || count >= MAX_TRIES));
  if (!hopeless) {
    await store.noteTrouble(data.batch, error.toJSON());
    return { inMs: backoff(count, { base: 500, max: 60_000 }) };
  }
  await failBatch({ deps, store }, data.batch, error);
  if (data.kind !== "chunk") return undefined;
  // What was taken on still needs its outcome: the chunk comes again and finds the batch failing. What holds up even that has to pass first.
  if (count === 1) return { inMs: 0 };
  await store.noteTrouble(data.batch, error.toJSON());
  return { inMs: backoff(count, { base: 500, max: 60_000 }) };
}

/** Fails a batch as a whole: what was taken on gets its outcome still. */
export async function failBatch(
  { deps, store }: Pick<Tools, "deps" | "store">,
  batch: string,
  thrown: unknown,
): Promise<void> {
  await store.fail(batch, toError(thrown).toJSON());
  await healBatch(store, deps.queue, batch);
  await releaseRanges(store, batch);
}
