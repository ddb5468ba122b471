import { setTimeout as sleep } from "node:timers/promises";
import { ActivityError } from "../../model/activity-error.ts";

const TRIES = 6;
const FIRST_DELAY_MS = 100;

/**
 * Tries one part of a large object again where only this part met trouble: a job's retry would begin the whole object anew.
 * Repeating a part is harmless, because a part number holds only the last one sent.
 */
export async function retryPart<Result>(
  run: () => Promise<Result>,
  signal: AbortSignal,
  tries: number = TRIES,
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      signal.throwIfAborted();
      if (attempt === tries || !(error instanceof ActivityError) || !error.retryable || error.code === "NoSuchUpload")
        throw error;
      await pause(FIRST_DELAY_MS * 2 ** attempt * (0.5 + Math.random()), signal);
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    // The timer rejects with an AbortError of its own; the caller's reason says why.
    signal.throwIfAborted();
    throw error;
  }
}
