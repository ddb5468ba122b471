import type { RedisClient } from "../redis/connection/client.ts";
import type { RedisKeys } from "../redis/keys.ts";

/** What became of a job that a schedule made. */
export type ScheduleRun = {
  readonly activity: string;
  readonly schedule: string;
  readonly id: string;
  /** The code it failed with. */
  readonly code?: string | undefined;
};

/** A schedule that is gone is remembered for so long, in seconds. */
const KEPT_S = 30 * 86_400;

/** Notes beside a schedule how its last run ended, and since when it fails. */
export async function noteScheduleRun(redis: RedisClient, keys: RedisKeys, run: ScheduleRun): Promise<void> {
  const { activity, schedule, id, code } = run;
  const key = keys.scheduleRuns(activity, schedule);
  const at = Date.now();
  const pipeline = redis.pipeline().hset(key, "at", at, "id", id, "code", code ?? "");
  if (code === undefined) pipeline.hdel(key, "failures", "failingSince");
  else pipeline.hincrby(key, "failures", 1).hsetnx(key, "failingSince", String(at));
  for (const [error] of (await pipeline.expire(key, KEPT_S).exec()) ?? []) if (error) throw error;
}
