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
  if (!client.options.keyPrefix) return;
  throw new ActivityError(
    "InvalidInput",
    "redis: expected no keyPrefix; set the option `prefix` of Bucketline (BUCKETLINE_PREFIX)",
    { field: "redis.keyPrefix" },
  );
}

/** Whether numbers come as text on an app's connection that is used as it is. */
export function tellsNumbersAsText(client: RedisClient): boolean {
  const options = isCluster(client) ? client.options.redisOptions : client.options;
  return options?.stringNumbers === true;
}
