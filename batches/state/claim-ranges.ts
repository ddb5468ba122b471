import { ActivityError } from "../../model/activity-error.ts";
import type { BatchSpec } from "../spec/request.ts";
import { hasEnded } from "./status.ts";
import type { BatchStore } from "./store.ts";
import { holderOf, overlapError, RANGES_MS, RENEW_RANGES_MS } from "./ranges.ts";

/**
 * Takes for a batch, or renews, the places that it moves from and writes to.
 *
 * @returns false where somebody else is at work there: it has to wait
 * @throws ActivityError `Overlap` where the batch was told not to
 */
export async function claimRanges(store: BatchStore, batch: string, spec: BatchSpec): Promise<boolean> {
  const ranges = await store.ranges(batch);
  if (ranges.length === 0) return true;
  const answer = await store.leases.takeRanges({ ranges, holder: holderOf(batch), ttlMs: RANGES_MS });
  if (answer.held) return true;
  const error = overlapError(batch, answer.by);
  if (spec.onOverlap === "fail") throw error;
  await store.noteTrouble(batch, error.toJSON());
  return false;
}

/**
 * Renews them while `work` goes on, which is given a signal that aborts once somebody else has them: a Redis that went back in time forgot who had.
 */
export async function whileClaimed<Result>(
  store: BatchStore,
  batch: string,
  work: (lost: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const ranges = await store.ranges(batch);
  const lost = new AbortController();
  const renew = async (): Promise<void> => {
    const answer = await store.leases.takeRanges({ ranges, holder: holderOf(batch), ttlMs: RANGES_MS });
    if (!answer.held) lost.abort(lostTo(batch, answer.by));
  };
  // Without Redis nothing is deleted either; the next time is soon.
  const renewal =
    ranges.length === 0 ? undefined : setInterval(() => void renew().catch(() => undefined), RENEW_RANGES_MS);
  try {
    return await work(lost.signal);
  } finally {
    clearInterval(renewal);
  }
}

function lostTo(batch: string, by: string): ActivityError {
  return new ActivityError("LockLost", `batch ${batch}: ${by} has its source or destination by now`, {
    retryable: true,
  });
}

/** Gives them back where the batch has ended; they also run out by themselves. */
export async function releaseRanges(store: BatchStore, batch: string): Promise<void> {
  const { state } = await store.glance(batch);
  if (state !== undefined && !hasEnded(state)) return;
  // What is on its way would hit what comes back; the ranges run out by themselves.
  if (await store.isCutOff(batch)) return;
  const ranges = await store.ranges(batch);
  if (ranges.length > 0) await store.leases.releaseRanges(ranges, holderOf(batch));
}
