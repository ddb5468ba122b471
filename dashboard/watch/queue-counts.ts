import type { RedisClient } from "../../redis/connection/client.ts";
import { activityNames } from "../../jobs/contracts.ts";
import { CHUNK_QUEUE } from "../../jobs/queues.ts";
import { redisKeys } from "../../redis/keys.ts";

/** How a queue is filled. */
export type QueueCounts = {
  readonly name: string;
  /** Ready to be taken, prioritized ones too. */
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  /** Finished jobs that Redis still knows. */
  readonly completed: number;
  readonly failed: number;
  readonly paused: boolean;
  /** For how long the job that is next has been ready, in milliseconds; undefined where none waits. */
  readonly oldestWaitingMs?: number;
  /** Jobs that ended in the last {@link RATE_WINDOW_MS}, for each second. */
  readonly completedPerSecond: number;
  readonly failedPerSecond: number;
};

export const queueNames: readonly string[] = [...activityNames, CHUNK_QUEUE];

/** Long enough for a steady figure, short enough to be live. */
export const RATE_WINDOW_MS = 10_000;

/**
 * All that is shown of one queue, at the cost of counts alone, whatever the queue holds.
 * KEYS: wait, active, delayed, prioritized, completed, failed, meta, paused. ARGV: the queue's key, the start of the rate's window.
 * A prioritized job that waits behind others is not looked for: the one that is next tells the age. Most activities are never used, and a look at those
 * is two commands.
 */
const COUNT = `
if redis.call("EXISTS", KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[8]) == 0 then
  return { 0, 0, 0, 0, 0, redis.call("HEXISTS", KEYS[7], "paused"), "", 0, 0 }
end
local next = { redis.call("LINDEX", KEYS[1], -1), redis.call("ZRANGE", KEYS[4], 0, 0)[1] }
local oldest = false
for i = 1, 2 do
  if next[i] then
    local job = redis.call("HMGET", ARGV[1] .. next[i], "timestamp", "delay")
    local ready = (tonumber(job[1]) or 0) + (tonumber(job[2]) or 0)
    if ready > 0 and (not oldest or ready < oldest) then oldest = ready end
  end
end
return {
  redis.call("LLEN", KEYS[1]) + redis.call("LLEN", KEYS[8]) + redis.call("ZCARD", KEYS[4]),
  redis.call("LLEN", KEYS[2]), redis.call("ZCARD", KEYS[3]),
  redis.call("ZCARD", KEYS[5]), redis.call("ZCARD", KEYS[6]),
  redis.call("HEXISTS", KEYS[7], "paused"), oldest and tostring(oldest) or "",
  redis.call("ZCOUNT", KEYS[5], ARGV[2], "+inf"), redis.call("ZCOUNT", KEYS[6], ARGV[2], "+inf"),
}`;

/** Counts all queues in one round trip. */
export async function readQueueCounts(
  redis: RedisClient,
  prefix: string,
  now = Date.now(),
): Promise<readonly QueueCounts[]> {
  const keys = redisKeys(prefix);
  const pipeline = redis.pipeline();
  for (const name of queueNames) {
    const sets = ["wait", "active", "delayed", "prioritized", "completed", "failed", "meta", "paused"];
    const names = sets.map((set) => keys.job(name, set));
    pipeline.eval(COUNT, names.length, ...names, keys.job(name, ""), now - RATE_WINDOW_MS);
  }
  const replies = (await pipeline.exec()) ?? [];
  return queueNames.map((name, index) => {
    const [error, reply] = replies[index] ?? [new Error("no reply"), undefined];
    if (error) throw error;
    return countsOf(name, reply as (number | string)[], now); // as the script returns it
  });
}

function countsOf(name: string, reply: readonly (number | string)[], now: number): QueueCounts {
  const [waiting = 0, active = 0, delayed = 0, completed = 0, failed = 0, paused, oldest, ended, lost] =
    reply.map(Number);
  return {
    name,
    waiting,
    active,
    delayed,
    completed,
    failed,
    paused: paused === 1,
    ...(oldest !== undefined && oldest > 0 && { oldestWaitingMs: Math.max(0, now - oldest) }),
    completedPerSecond: (ended ?? 0) / (RATE_WINDOW_MS / 1000),
    failedPerSecond: (lost ?? 0) / (RATE_WINDOW_MS / 1000),
  };
}
