import type { ActivityInput, ActivityName } from "../jobs/contracts.ts";
import { hint } from "./output/say.ts";
import { showProgress } from "./output/progress-line.ts";
import type { JobHandle, Producer } from "../producer/index.ts";

/** A worker that is there takes a job within milliseconds. */
const HINT_AFTER_MS = 3_000;

/**
 * Enqueues a job and works with its end. A stop signal cancels the job: nobody would learn of it. While no worker takes it, a line on
 * standard error says what may be wrong.
 */
export async function runJob<Name extends ActivityName, T>(
  producer: Producer,
  signal: AbortSignal,
  request: { readonly activity: Name; readonly input: ActivityInput<Name>; readonly progress?: true },
  work: (job: JobHandle<Name>) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const job: JobHandle<Name> = await producer.enqueue(request.activity, request.input);
  const timer = setTimeout(() => {
    void tellWhetherWaiting(job).catch(() => undefined); // a hint only: what is wrong with Redis the wait itself says
  }, HINT_AFTER_MS);
  if (request.progress) void showProgress(job, signal);
  try {
    return await work(job);
  } catch (error) {
    if (signal.aborted) await job.cancel();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function tellWhetherWaiting(job: JobHandle): Promise<void> {
  if ((await job.state()) !== "waiting") return;
  hint(
    "waiting for a worker: is one running with the same REDIS_URL and BUCKETLINE_PREFIX? (start one with: bucketline worker)",
  );
}
