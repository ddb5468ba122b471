import type { RetryErrorInfo, RetryStrategyV2, RetryToken } from "@smithy/types";

/**
 * The SDK repeats only what was lost on the way, at once and at most `maxAttempts` times: real retries are the job's. Without
 * a quota, because the SDK's own (500 tokens) is drained by a throttling storm and then every retry of the process stops;
 * throttling is surfaced, because only the limiter can answer it.
 */
export function createRetryStrategy(maxAttempts: number): RetryStrategyV2 {
  return {
    acquireInitialRetryToken: () => Promise.resolve(token(0)),
    refreshRetryTokenForRetry: (last: RetryToken, { error, errorType }: RetryErrorInfo) => {
      const attempt = last.getRetryCount() + 1;
      const lost = errorType === "TRANSIENT" || errorType === "SERVER_ERROR";
      if (attempt >= maxAttempts || !lost || isBusy(error)) return Promise.reject(new Error("not retried here"));
      return Promise.resolve(token(attempt));
    },
    recordSuccess: () => undefined,
  };
}

function token(attempt: number): RetryToken {
  return { getRetryCount: () => attempt, getRetryDelay: () => (attempt === 0 ? 0 : Math.random() * 50 * 2 ** attempt) };
}

/** A 503 without a body, as HEAD gets it, is SlowDown too, which the SDK cannot see. */
function isBusy(error: unknown): boolean {
  if (typeof error !== "object" || error === null || !("$metadata" in error)) return false;
  // The SDK hangs this on its errors.
  const status = (error.$metadata as { readonly httpStatusCode?: number } | undefined)?.httpStatusCode;
  return status === 503 || status === 429;
}
