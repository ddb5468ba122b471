import type { RedisOptions } from "ioredis";
import { ActivityError } from "../../model/activity-error.ts";
import { isCluster, type RedisClient } from "./client.ts";

/**
 * What a copy of an app's connection does not take over, because it was meant for other commands than ours: numbers as text are equal to none, so
 * that a job passes for cancelled; a subscription that is not renewed hears nothing after a failover; a server that is still loading is not ready.
 */
export const OURS = {
  stringNumbers: false,
  autoResubscribe: true,
  autoResendUnfulfilledCommands: true,
  enableReadyCheck: true,
} as const satisfies RedisOptions;

/**
 * What an app's connection may not have that is used as it is.
 *
 * @throws ActivityError `InvalidInput` with what to set instead
 */
export function refuseUnfit(client: RedisClient): void {
  const { keyPrefix } = client.options;
  if (keyPrefix) throw unfit("keyPrefix", "set the option `prefix` of Bucketline (BUCKETLINE_PREFIX)");
  const options = isCluster(client) ? client.options.redisOptions : client.options;
  if (options?.stringNumbers) throw unfit("stringNumbers", "numbers in replies are compared as numbers");
}

function unfit(option: string, instead: string): ActivityError {
  return new ActivityError("InvalidInput", `redis: expected no ${option}; ${instead}`, { field: `redis.${option}` });
}
