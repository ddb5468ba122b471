import type { RedisClient } from "../../redis/connection/client.ts";
import { isTooOld, readInfo, type RedisInfo } from "../../redis/health/info.ts";

/** What an operator must know of the Redis that holds the queues. */
export type RedisHealth = {
  readonly version: string;
  readonly evictionPolicy: string;
  /** `none`: a restart loses every job. `unknown`: the server does not say. */
  readonly persistence: "aof" | "rdb" | "none" | "unknown";
  /** Bytes. */
  readonly usedMemory: number;
  /** Bytes; 0 where there is no limit. */
  readonly maxMemory: number;
  readonly connectedClients: number;
  readonly uptimeSeconds: number;
  readonly warnings: readonly Warning[];
};

/** Something to be done. */
export type Warning = {
  readonly code: string;
  readonly severity: "warning" | "danger";
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
};

const NEARLY_FULL = 0.85;

/** @param key one of ours: of a cluster it is the node that holds it that counts */
export async function readRedisHealth(redis: RedisClient, key: string): Promise<RedisHealth> {
  const info = await readInfo(redis, key);
  const number = (name: string) => Number(info.get(name) ?? 0);
  const facts = {
    version: info.get("redis_version") ?? "unknown",
    evictionPolicy: info.get("maxmemory_policy") ?? "unknown",
    persistence: await persistenceOf(redis, info),
    usedMemory: number("used_memory"),
    maxMemory: number("maxmemory"),
    connectedClients: number("connected_clients"),
    uptimeSeconds: number("uptime_in_seconds"),
  };
  return { ...facts, warnings: warningsOf(facts, info) };
}

async function persistenceOf(redis: RedisClient, info: RedisInfo): Promise<RedisHealth["persistence"]> {
  if (info.get("aof_enabled") === "1") return "aof";
  try {
    // INFO does not tell whether snapshots are switched on.
    const [, save] = await redis.config("GET", "save");
    return save === undefined ? "unknown" : save.trim() === "" ? "none" : "rdb";
  } catch {
    return "unknown"; // managed services refuse CONFIG
  }
}

function warningsOf(facts: Omit<RedisHealth, "warnings">, info: RedisInfo): Warning[] {
  const { version, evictionPolicy, persistence, usedMemory, maxMemory } = facts;
  const warnings: Warning[] = [];
  const warn = (code: string, severity: Warning["severity"], message: string, remedy: string) =>
    warnings.push({ code, severity, message, remedy });
  if (info.get("role") === "slave")
    warn(
      "replica",
      "danger",
      "This Redis is a read-only replica: nothing can be added, and no worker takes jobs from it.",
      "Set REDIS_URL to the primary, or to its sentinels as redis+sentinel://host:26379/mymaster.",
    );
  if (evictionPolicy !== "noeviction" && evictionPolicy !== "unknown")
    warn(
      "eviction",
      "danger",
      `Redis may drop accepted jobs when its memory is full: maxmemory-policy is ${evictionPolicy}.`,
      "Run redis-cli config set maxmemory-policy noeviction, and set it in redis.conf.",
    );
  if (persistence === "none")
    warn(
      "persistence",
      "warning",
      "Redis keeps its data in memory only: a restart loses every job.",
      "Run redis-cli config set appendonly yes, and set it in redis.conf.",
    );
  if (persistence === "rdb")
    warn(
      "persistence",
      "warning",
      "Redis writes snapshots only: a crash loses the jobs since the last one.",
      "Run redis-cli config set appendonly yes, and set it in redis.conf.",
    );
  if (info.get("aof_last_write_status") === "err" || info.get("rdb_last_bgsave_status") === "err")
    warn("write", "danger", "Redis could not write its data to disk.", "Make room on its disk and look into its log.");
  if (maxMemory > 0 && usedMemory > maxMemory * NEARLY_FULL)
    warn(
      "memory",
      "danger",
      `Redis uses ${Math.round((100 * usedMemory) / maxMemory)}% of its memory; when it is full, no job can be added.`,
      "Raise maxmemory, or shorten how long finished jobs are kept.",
    );
  if (isTooOld(version)) warn("version", "danger", `Redis ${version} is too old.`, "Upgrade it to 6.2 or later.");
  return warnings;
}
