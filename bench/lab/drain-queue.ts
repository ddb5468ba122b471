import { setTimeout as delay } from "node:timers/promises";
import type { Queue } from "bullmq";
import { type Effort, effortOf } from "../results/effort.ts";

/** Between two looks at the queue, in ms: far below what a round takes. */
const LOOK_MS = 10;

type Drain = {
  /** Of the worker. */
  readonly pid: number;
  readonly queue: Pick<Queue, "pause" | "resume" | "getJobCounts">;
  readonly count: number;
  readonly add: () => Promise<unknown>;
};

/** What a worker does with jobs that it gets all at once: they are added while the queue is paused, and only the work is measured. */
export async function drainEffort({ pid, queue, count, add }: Drain): Promise<Effort> {
  const before = await queue.getJobCounts("completed", "failed");
  await queue.pause();
  await add();
  return await effortOf(pid, count, async () => {
    await queue.resume();
    for (;;) {
      await delay(LOOK_MS);
      const { completed = 0, failed = 0 } = await queue.getJobCounts("completed", "failed");
      if (failed > (before["failed"] ?? 0)) throw new Error(`${failed} jobs failed; the log of the worker says why`);
      if (completed - (before["completed"] ?? 0) >= count) return;
    }
  });
}
