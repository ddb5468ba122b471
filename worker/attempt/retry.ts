import { ActivityError } from "../../model/activity-error.ts";
import { isThrottle } from "../../model/throttle.ts";

/** What becomes of a failed attempt. */
export type Verdict =
  /** Try again after the backoff; uses up an attempt. */
  | "retry"
  /** The store asked to slow down, or somebody else is at work there: try again later, no attempt used. */
  | "later"
  /** This worker is going: back to the queue at once, no attempt used. */
  | "hand-over"
  /** Nobody but a person can change the outcome. */
  | "fail";

/** What says something of Redis, and nothing of the job. */
const LATER: ReadonlySet<string> = new Set<ActivityError["code"]>(["ReplicasMissing", "ProofForgotten"]);

/** The one place that decides on retries. */
export function decide(error: ActivityError): Verdict {
  if (error.code === "WorkerShutdown" || error.code === "LockLost") return "hand-over";
  if (isThrottle(error) || LATER.has(error.code) || (error.code === "Overlap" && error.retryable)) return "later";
  return error.retryable ? "retry" : "fail";
}

/** Anything thrown, as the one error of Bucketline. A bug of ours is not retried: it would fail alike. */
export function toActivityError(error: unknown, signal: AbortSignal): ActivityError {
  if (signal.aborted && signal.reason instanceof ActivityError) return signal.reason;
  if (error instanceof ActivityError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (isRedisTrouble(error))
    return new ActivityError("RedisUnavailable", `expected Redis to answer, got: ${message}`, {
      retryable: true,
      cause: error,
    });
  return new ActivityError("InternalError", `expected no failure of the worker itself, got: ${message}`, {
    cause: error,
  });
}

function isRedisTrouble(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    error.name === "ReplyError" ||
    error.name === "MaxRetriesPerRequestError" ||
    /Connection is closed/.test(error.message)
  );
}
