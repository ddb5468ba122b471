import { setTimeout as sleep } from "node:timers/promises";
import { ActivityError } from "../../model/activity-error.ts";
import { backoff as exponential } from "../../model/backoff.ts";
import { isThrottle as saysSlowDown } from "../../model/throttle.ts";

/** Answers that concern every object of the batch alike: to go on would fail them all, one by one. */
const FATAL: ReadonlySet<string> = new Set([
  "InvalidAccessKeyId",
  "AllAccessDisabled",
  "AccountProblem",
  "UnknownProfile",
  "InvalidSealedCredentials",
  "CredentialsUnavailable",
]);

/** How often an object is tried in all; throttling does not count. */
export const MAX_TRIES = 5;

/**
 * The store asked for fewer requests: that says nothing of the object. Not every 503 does: the SDK gives that status to a copy that was
 * answered 200 without a result.
 */
export function isThrottle(error: ActivityError): boolean {
  return saysSlowDown(error) || error.code === "ServiceUnavailable";
}

export function isFatal(error: ActivityError): boolean {
  return FATAL.has(error.code) && !error.retryable;
}

/** What was thrown, as the one error of Bucketline; what is not one is a bug of ours, and not retried for an object. */
export function toError(thrown: unknown): ActivityError {
  if (thrown instanceof ActivityError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ActivityError("InternalError", `expected no failure of the worker itself, got: ${message}`, {
    cause: thrown,
  });
}

/** Milliseconds before one object is tried again. */
export function backoff(tries: number, { base = 100, max = 5000 } = {}): number {
  return exponential(tries, { base, max });
}

/** False where the signal ended it. */
export async function rest(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
