import type { RetryErrorInfo, RetryStrategyV2, RetryToken } from "@smithy/types";

/**
 * The SDK repeats only what was lost on the way, at once and at most `maxAttempts` times: real retries are the job's. Without
 * a quota, because the SDK's own (500 tokens) is drained by a throttling storm and then every retry of the process stops;
 * throttling is surfaced, because only the limiter can answer it.
 */
export function createRetryStrategy(maxAttempts: number): RetryStrategyV2 {
  return {
    acquireInitialRetryToken: () => Promise.resolve(token(0)),
    refreshRetryTokenForRetry: (last: RetryToken, { errorType }: RetryErrorInfo) => {
      const attempt = last.getRetryCount() + 1;
      if (attempt >= maxAttempts || (errorType !== "TRANSIENT" && errorType !== "SERVER_ERROR"))
        return Promise.reject(new Error("not retried here"));
      return Promise.resolve(token(attempt));
    },
    recordSuccess: () => undefined,
  };
}

function token(attempt: number): RetryToken {
  return { getRetryCount: () => attempt, getRetryDelay: () => (attempt === 0 ? 0 : Math.random() * 50 * 2 ** attempt) };
}
