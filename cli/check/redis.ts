import { readWorkers } from "../../dashboard/watch/workers.ts";
import { isCluster, type RedisClient } from "../../redis/connection/client.ts";
import { cutRedis, lastRefusal } from "../../redis/connection/connect.ts";
import { isTooOld, readInfo } from "../../redis/health/info.ts";
import { redisKeys } from "../../redis/keys.ts";
import { reachRedis } from "../../redis/connection/reach.ts";
import { isRefusal, meaningOf } from "../../redis/connection/problem.ts";
import { trueCause } from "../../redis/connection/true-cause.ts";
import { withoutSecrets } from "../../redis/connection/url.ts";
import { missingRights } from "../../redis/health/missing-rights.ts";
import { probeWrite } from "../../redis/health/write-watch.ts";
import { advise, fine, type Finding, messageOf, problem } from "./finding.ts";

const TIMEOUT_MS = 5_000;

/** Whether jobs are safe in this Redis, and can be put into it. */
export async function* checkRedis(url: string, prefix: string): AsyncGenerator<Finding> {
  const where = withoutSecrets(url);
  let client: RedisClient | undefined;
  // ioredis tells the cause of a failed connection here; commands only say that they were not answered.
  let reason: Error | undefined;
  let at: RedisClient | undefined;
  try {
    client = await reachRedis(url, {
      prefix,
      maxRetriesPerRequest: 1,
      commandTimeout: TIMEOUT_MS,
      onError: (error, from) => {
        reason = error;
        at = from;
      },
    });
    yield* findings(await factsOf(client, redisKeys(prefix).probe()), where);
    yield* lessons(client, prefix);
  } catch (error) {
    const cause = at === undefined ? error : await trueCause(at, reason ?? error);
    const refused = isRefusal(cause);
    yield problem(
      "Redis",
      `${where}: ${refused ? meaningOf(cause) : messageOf(cause)}`,
      refused
        ? "set user and password in REDIS_URL, or in BUCKETLINE_REDIS_USERNAME and BUCKETLINE_REDIS_PASSWORD"
        : "check REDIS_URL, and that Redis runs (one to try: bucketline sandbox)",
    );
  } finally {
    if (client) cutRedis(client);
  }
}

/** What the workers that are alive learned of their stores, each once. */
async function* lessons(client: RedisClient, prefix: string): AsyncGenerator<Finding> {
  const workers = await readWorkers(client, prefix);
  for (const lesson of new Set(workers.flatMap((worker) => worker.lessons)))
    yield advise(
      "learned by workers",
      lesson,
      "nothing needs to be set; docs/conformance.md says what is done instead",
    );
}

type Facts = {
  readonly version: string;
  readonly policy: string;
  readonly appendOnly: boolean;
  /** Undefined where CONFIG may not be asked, as on managed services. */
  readonly snapshots: boolean | undefined;
  readonly memory: string;
  readonly cluster: boolean;
  /** Of which server it is a read-only copy. */
  readonly replicaOf: string | undefined;
  /** Why it takes no writes. */
  readonly unwritable: string | undefined;
};

async function factsOf(client: RedisClient, key: string): Promise<Facts> {
  const info = await readInfo(client, key);
  const replicaOf = info.get("role") === "slave" ? (info.get("master_host") ?? "another") : undefined;
  return {
    version: info.get("redis_version") ?? "unknown",
    policy: info.get("maxmemory_policy") ?? "unknown",
    appendOnly: info.get("aof_enabled") === "1",
    snapshots: await snapshots(client),
    memory: info.get("used_memory_human") ?? "",
    cluster: isCluster(client),
    replicaOf,
    unwritable: replicaOf === undefined ? await whyUnwritable(client, key) : undefined,
  };
}

async function whyUnwritable(client: RedisClient, key: string): Promise<string | undefined> {
  try {
    await probeWrite(client, key);
    const missing = await missingRights(client, key);
    return missing.length === 0 ? undefined : `no right to ${missing.join(", ")}`;
  } catch (error) {
    return lastRefusal(client, 2 * TIMEOUT_MS) ?? messageOf(error);
  }
}

async function snapshots(redis: RedisClient): Promise<boolean | undefined> {
  try {
    const answer: unknown = await redis.config("GET", "save");
    const value = Array.isArray(answer) ? answer[1] : undefined;
    return typeof value === "string" ? value !== "" : undefined;
  } catch {
    return undefined; // not allowed to ask, which is no fault
  }
}

function* findings(
  { version, policy, appendOnly, snapshots: saved, memory, cluster, replicaOf, unwritable }: Facts,
  where: string,
): Generator<Finding> {
  yield isTooOld(version)
    ? problem("Redis version", version, "use Redis 6.2 or later, or Valkey")
    : fine(
        "Redis version",
        `${version} at ${where}${cluster ? ", a cluster" : ""}${memory === "" ? "" : `, ${memory} in use`}`,
      );
  if (replicaOf !== undefined)
    yield problem(
      "Redis writes",
      `refused: it is a read-only replica of ${replicaOf} (READONLY)`,
      "set REDIS_URL to the primary, or to its sentinels: redis+sentinel://host:26379/mymaster",
    );
  else if (unwritable !== undefined)
    yield problem("Redis writes", unwritable, "see docs/production.md: no job can be added or taken");
  else yield fine("Redis writes", "taken");
  yield policy === "noeviction"
    ? fine("Redis eviction policy", policy)
    : problem(
        "Redis eviction policy",
        `${policy}: accepted jobs may be dropped`,
        "redis-cli config set maxmemory-policy noeviction (and in redis.conf: maxmemory-policy noeviction)",
      );
  const how = "set appendonly yes in redis.conf (redis-cli config set appendonly yes)";
  if (appendOnly) yield fine("Redis persistence", "append-only file");
  else if (saved === false) yield advise("Redis persistence", "none: accepted jobs are gone when Redis ends", how);
  else if (saved === true)
    yield advise("Redis persistence", "snapshots only: the jobs since the last one are gone when Redis crashes", how);
  else yield advise("Redis persistence", "no append-only file, as far as Redis tells", how);
}
