import type { Queue } from "bullmq";
import type { RedisClient } from "../../redis/connection/client.ts";
import { ActivityError } from "../../model/activity-error.ts";
import { leaveFailures } from "../../jobs/failures.ts";
import { redisKeys } from "../../redis/keys.ts";
import { HttpProblem } from "../http/problem.ts";
import { readJob } from "./read-job.ts";

/**
 * Puts a job that failed or was cancelled back into its queue, with all its attempts. What it had already proven (the pin of a move,
 * its copy) is kept, so a retry of a move is as safe as any other attempt of it.
 *
 * @throws HttpProblem 404 where there is no such job, 409 where it has not failed or cannot be read
 */
export async function retryJob(
  { redis, prefix, queue }: { readonly redis: RedisClient; readonly prefix: string; readonly queue: Queue },
  { activity, id }: { readonly activity: string; readonly id: string },
): Promise<void> {
  const job = await readJob(redis, prefix, { activity, id });
  if (job === undefined) throw new ActivityError("JobExpired", `${activity}/${id} is not in Redis (any more)`);
  const ended = job.finishedAt !== undefined && (job.state === "failed" || job.state === "cancelled");
  if (!ended)
    throw new HttpProblem(
      409,
      "JobNotFailed",
      `expected a job that failed or was cancelled, ${activity}/${id} is ${job.state}`,
    );
  if (job.malformed)
    throw new HttpProblem(
      409,
      "MalformedJob",
      `${activity}/${id} could not be read, so it cannot be run; enqueue it anew`,
    );
  // Before the job can be taken: a worker that still sees the flag would cancel it again.
  await redis.del(redisKeys(prefix).cancelled(activity, id));
  // From now on it waits; the time at which it was first asked for says nothing of that.
  await redis.hset(redisKeys(prefix).job(activity, id), "again", Date.now());
  await leaveFailures(redis, redisKeys(prefix), { activity, id });
  const found = await queue.getJob(id);
  if (found === undefined) throw new ActivityError("JobExpired", `${activity}/${id} is not in Redis any more`);
  try {
    await found.retry("failed", { resetAttemptsMade: true, resetAttemptsStarted: true });
  } catch (error) {
    // Somebody else was faster.
    throw new HttpProblem(409, "JobNotFailed", `${activity}/${id} is not among the failed jobs any more`, {
      cause: error,
    });
  }
}
