import { setTimeout as delay } from "node:timers/promises";
import type { Queue } from "bullmq";

/** Between two looks at the queue, in ms: far below what a round takes. */
const LOOK_MS = 10;

/** Jobs per second of a queue whose worker gets all of them at once: they are added while it is paused, and only the work is timed. */
export async function drainRate(
  queue: Pick<Queue, "pause" | "resume" | "getJobCounts">,
  count: number,
  add: () => Promise<unknown>,
): Promise<number> {
  const before = await queue.getJobCounts("completed", "failed");
  await queue.pause();
  await add();
  const started = performance.now();
  await queue.resume();
  for (;;) {
    await delay(LOOK_MS);
    const { completed = 0, failed = 0 } = await queue.getJobCounts("completed", "failed");
    if (failed > (before["failed"] ?? 0)) throw new Error(`${failed} jobs failed; the log of the worker says why`);
    if (completed - (before["completed"] ?? 0) >= count) return count / ((performance.now() - started) / 1000);
  }
}
