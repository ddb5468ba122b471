import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { ActivityError } from "../model/activity-error.ts";
import type { RedisKeys } from "../redis/keys.ts";
import { withoutCommand } from "../redis/without-command.ts";

/** A message can be lost while the subscription reconnects, so the flags of running jobs are also read so often. */
const POLL_MS = 5000;

type Running = { readonly activity: string; readonly jobId: string; readonly abort: (reason: ActivityError) => void };

/** Hears of cancels from any process, for the jobs that run here. */
export type Cancellation = {
  /** Aborts `abort` once the job is cancelled; rejects with `Cancelled` where it already is. Call the result when the run ends. */
  watch(running: Running): Promise<() => void>;
  close(): Promise<void>;
};

export const cancelled = (activity: string, jobId: string): ActivityError =>
  new ActivityError("Cancelled", `${activity} job ${jobId} was cancelled`);

export async function startCancellation(redis: Redis, keys: RedisKeys, log: Logger): Promise<Cancellation> {
  const jobs = new Map<string, Running>();
  const cancel = ({ activity, jobId, abort }: Running) => abort(cancelled(activity, jobId));
  const subscriber = redis.duplicate();
  subscriber.on("error", (error) =>
    log.debug({ err: withoutCommand(error) }, "the cancel subscription is reconnecting"),
  );
  subscriber.on("message", (_channel, message) => {
    const running = jobs.get(message);
    if (running !== undefined) cancel(running);
  });
  await subscriber.subscribe(keys.cancelChannel());

  const poll = async () => {
    const running = [...jobs.values()];
    if (running.length === 0) return;
    const reads = redis.pipeline();
    for (const { activity, jobId } of running) reads.exists(keys.cancelled(activity, jobId));
    const flags = (await reads.exec()) ?? [];
    for (const [index, job] of running.entries()) if (flags[index]?.[1] === 1) cancel(job);
  };
  const timer = setInterval(() => {
    poll().catch((error: unknown) =>
      log.warn({ err: withoutCommand(error) }, "could not read the cancel flags; trying again"),
    );
  }, POLL_MS);

  return {
    async watch(running) {
      const name = `${running.activity}/${running.jobId}`;
      jobs.set(name, running);
      const release = () => {
        // A second run of the same job may have taken the place.
        if (jobs.get(name) === running) jobs.delete(name);
      };
      try {
        if ((await redis.exists(keys.cancelled(running.activity, running.jobId))) === 0) return release;
      } catch (error) {
        release();
        throw error;
      }
      release();
      throw cancelled(running.activity, running.jobId);
    },
    async close() {
      clearInterval(timer);
      subscriber.disconnect();
      await Promise.resolve();
    },
  };
}
