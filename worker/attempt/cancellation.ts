import type { RedisClient } from "../../redis/connection/client.ts";
import { ActivityError } from "../../model/activity-error.ts";
import type { RedisKeys } from "../../redis/keys.ts";
import { anotherLike, cutRedis } from "../../redis/connection/connect.ts";
import type { TroubleLog } from "../../redis/connection/trouble-log.ts";

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

/** A user that Redis 7 made has no channels, unless they are given. */
function subscriptionError(channel: string, cause: unknown): ActivityError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ActivityError(
    "UnsafeRedis",
    `expected to subscribe to the channel ${channel}, got: ${why}. Give the user of Redis its channels: ACL SETUSER <user> &<prefix>*`,
    { cause },
  );
}

export async function startCancellation(redis: RedisClient, keys: RedisKeys, tell: TroubleLog): Promise<Cancellation> {
  const jobs = new Map<string, Running>();
  const cancel = ({ activity, jobId, abort }: Running) => abort(cancelled(activity, jobId));
  const subscriber = anotherLike(redis, keys.cancelChannel());
  subscriber.on("error", (error) => tell(error, "the subscription to cancels is lost; connecting again"));
  subscriber.on("message", (_channel, message) => {
    const running = jobs.get(message);
    if (running !== undefined) cancel(running);
  });
  try {
    await subscriber.subscribe(keys.cancelChannel());
  } catch (cause) {
    cutRedis(subscriber);
    throw subscriptionError(keys.cancelChannel(), cause);
  }

  const poll = async () => {
    const running = [...jobs.values()];
    if (running.length === 0) return;
    const reads = redis.pipeline();
    for (const { activity, jobId } of running) reads.exists(keys.cancelled(activity, jobId));
    const flags = (await reads.exec()) ?? [];
    for (const [index, job] of running.entries()) if (flags[index]?.[1] === 1) cancel(job);
  };
  const timer = setInterval(() => {
    poll().catch((error: unknown) => tell(error, "could not read the cancel flags; trying again"));
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
      cutRedis(subscriber);
      await Promise.resolve();
    },
  };
}
