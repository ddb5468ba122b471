import type { Redis } from "ioredis";
import { ActivityError } from "../model/activity-error.ts";

/** BullMQ needs the commands of 6.2. https://docs.bullmq.io/guide/redis-tm-compatibility */
const OLDEST = [6, 2] as const;

export type RedisFacts = {
  readonly version: string;
  readonly evictionPolicy: string;
  readonly persistence: "aof" | "rdb" | "none" | "unknown";
  readonly usedMemory: number;
  readonly maxMemory: number;
};

/** Reads what a queue must know of its Redis, from INFO, which managed services allow where CONFIG is refused. */
export async function readRedisFacts(redis: Redis): Promise<RedisFacts> {
  const info = new Map(
    (await redis.info())
      .split("\r\n")
      .map((line) => line.split(":"))
      .filter((pair): pair is [string, string] => pair.length === 2)
      .map(([name, value]) => [name, value]),
  );
  return {
    version: info.get("redis_version") ?? "unknown",
    evictionPolicy: info.get("maxmemory_policy") ?? "unknown",
    persistence: info.get("aof_enabled") === "1" ? "aof" : info.has("rdb_last_save_time") ? "rdb" : "unknown",
    usedMemory: Number(info.get("used_memory") ?? 0),
    maxMemory: Number(info.get("maxmemory") ?? 0),
  };
}

type Options = {
  /** Accept a Redis that may drop keys. Default false. */
  readonly allowEviction?: boolean;
  /** A key of ours: a node of a cluster answers INFO whether or not it holds our keys. */
  readonly key: string;
};

/** Throws `UnsafeRedis` where Redis may drop jobs by itself, is too old, or is the wrong node of a cluster. */
export async function checkRedis(redis: Redis, { allowEviction = false, key }: Options): Promise<RedisFacts> {
  await refuseMissingDatabase(redis);
  await refuseWrongNode(redis, key);
  const facts = await readRedisFacts(redis);
  const [major = 0, minor = 0] = facts.version.split(".").map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))
    throw new ActivityError("UnsafeRedis", `expected Redis 6.2 or newer, got ${facts.version}`);
  if (facts.evictionPolicy !== "noeviction" && !allowEviction)
    throw new ActivityError(
      "UnsafeRedis",
      `expected maxmemory-policy noeviction, got ${facts.evictionPolicy}: Redis may drop accepted jobs. ` +
        "Run `redis-cli config set maxmemory-policy noeviction`, or set BUCKETLINE_ALLOW_EVICTION=true to accept the loss",
    );
  return facts;
}

/** ioredis reports such a database only as an event, and goes on in database 0. */
async function refuseMissingDatabase(redis: Redis): Promise<void> {
  const db = redis.options.db ?? 0;
  if (db === 0) return;
  try {
    await redis.select(db);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ActivityError("UnsafeRedis", `expected a database that Redis has, got ${db} (${why}): change REDIS_URL`, {
      cause,
    });
  }
}

async function refuseWrongNode(redis: Redis, key: string): Promise<void> {
  try {
    await redis.exists(key);
  } catch (error) {
    const owner = error instanceof Error ? /^MOVED \d+ (\S+)/.exec(error.message)?.[1] : undefined;
    if (owner === undefined) throw error;
    throw new ActivityError(
      "UnsafeRedis",
      `expected the node of the cluster that holds ${key}, which is ${owner}: set REDIS_URL to it, and BUCKETLINE_PREFIX to one in braces`,
      { cause: error },
    );
  }
}
