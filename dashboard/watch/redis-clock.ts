import type { RedisClient } from "../../redis/connection/client.ts";
import { measureSkew } from "../../redis/health/clock.ts";
import { keptFor } from "./kept-for.ts";

/** Milliseconds since 1970, as Redis has it. */
export type RedisClock = () => Promise<number>;

const FRESH_MS = 30_000;

/**
 * The clock that everything in Redis was stamped by: who is alive, what is due, how long something waits. A dashboard whose own is minutes off
 * would miss every worker. It may run within an app, whose clock is not set right.
 */
export function createRedisClock(redis: RedisClient): RedisClock {
  const skew = keptFor(FRESH_MS, () => measureSkew(redis));
  return async () => Date.now() - (await skew());
}
