import { ActivityError } from "../../model/activity-error.ts";
import type { Started } from "./activity-worker.ts";

/** Lets running jobs end; at the deadline hands the rest back, then waits for them to let go. */
export async function stopQueues(workers: readonly Started[], timeoutMs: number): Promise<void> {
  const deadline = setTimeout(() => {
    const reason = new ActivityError("WorkerShutdown", "the worker stops; another one takes the job", {
      retryable: true,
    });
    for (const { running } of workers) running.abortAll(reason);
  }, timeoutMs);
  await Promise.all(workers.map(({ worker }) => worker.close()));
  clearTimeout(deadline);
}
