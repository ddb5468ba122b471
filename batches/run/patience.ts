import { backoff, isThrottle, MAX_TRIES, rest, toError } from "./retry.ts";

/**
 * Asks again where a question met what may pass: one answer that fails must not cost a chunk the hundreds that it has already.
 * Throttling costs time only.
 *
 * @throws what the last try threw; where the signal ends the wait, what came before
 */
export async function patiently<Answer>(ask: () => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  for (let tries = 1, waits = 1; ;) {
    try {
      return await ask();
    } catch (thrown) {
      const error = toError(thrown);
      const throttled = isThrottle(error);
      if (signal.aborted || (!throttled && (!error.retryable || tries++ >= MAX_TRIES))) throw thrown;
      if (!(await rest(backoff(throttled ? waits++ : tries), signal))) throw thrown;
    }
  }
}
