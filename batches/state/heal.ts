import type { BatchStore } from "./store.ts";
import { type BatchQueue, wantedBatchJobs } from "./queue.ts";

/**
 * Adds the jobs that a batch must have and has not: after a start or resume, or because a worker died between a commit and the next job.
 * Safe at any time and from many processes at once: job ids are deterministic and an existing job stays as it is.
 *
 * @returns how many were missing
 */
export async function healBatch(store: BatchStore, queue: BatchQueue, id: string): Promise<number> {
  const wanted = await store.wanted(id);
  if (wanted === undefined) return 0;
  const jobs = wantedBatchJobs(id, wanted);
  if (jobs.length === 0) return 0;
  // Asked first, because BullMQ sends out an event for every job that exists already.
  const there = await store.jobsExist(jobs.map((job) => job.id));
  const missing = jobs.filter((_, index) => there[index] !== "there");
  // One that was put aside as malformed keeps its id, and would keep the chunk from ever being given again.
  await queue.remove(jobs.filter((_, index) => there[index] === "ended").map((job) => job.id));
  await queue.add(missing);
  return missing.length;
}
