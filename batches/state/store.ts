import type { Cluster, Redis } from "ioredis";
import { redisKeys } from "../../redis/keys.ts";
import { createLeases } from "../../redis/leases.ts";
import { createAccess } from "./access.ts";
import { beginnings } from "./begin.ts";
import { history } from "./history.ts";
import { looks, work } from "./looks.ts";
import { steering } from "./steer.ts";

/** The state of batches in Redis. Every change is one script, so no crash leaves half of one. */
export type BatchStore = ReturnType<typeof createBatchStore>;

export function createBatchStore(redis: Redis | Cluster, prefix: string) {
  const access = createAccess(redis, prefix);
  return {
    redis,
    keys: access.keys,
    leases: createLeases(redis, redisKeys(prefix)),
    ...beginnings(access),
    ...steering(access),
    ...looks(access),
    ...work(access),
    ...history(access),
  };
}
