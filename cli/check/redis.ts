import { Redis } from "ioredis";
import { advise, fine, type Finding, messageOf, problem } from "./finding.ts";

const CONNECT_TIMEOUT_MS = 5_000;
/** BullMQ needs the commands of 6.2. https://docs.bullmq.io/guide/redis-tm-compatibility */
const OLDEST = [6, 2] as const;

/** Whether jobs are safe in this Redis. */
export async function* checkRedis(url: string): AsyncGenerator<Finding> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  // ioredis tells the cause of a failed connection here; connect() itself only says that it is closed.
  let reason: Error | undefined;
  redis.on("error", (error: Error) => {
    reason = error;
  });
  const where = url.replace(/\/\/[^@/]*@/, "//***@");
  try {
    await redis.connect();
    yield* findings(await factsOf(redis), where);
  } catch (error) {
    yield problem(
      "Redis",
      `${where}: ${(reason ?? error) instanceof Error ? messageOf(reason ?? error) : ""}`,
      "check REDIS_URL, and that Redis runs (one to try: bucketline sandbox)",
    );
  } finally {
    redis.disconnect();
  }
}

type Facts = {
  readonly version: string;
  readonly policy: string;
  readonly appendOnly: boolean;
  /** Undefined where CONFIG may not be asked, as on managed services. */
  readonly snapshots: boolean | undefined;
  readonly memory: string;
};

async function factsOf(redis: Redis): Promise<Facts> {
  const info = new Map(
    (await redis.info()).split("\r\n").flatMap((line): [string, string][] => {
      const at = line.indexOf(":");
      return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    }),
  );
  return {
    version: info.get("redis_version") ?? "unknown",
    policy: info.get("maxmemory_policy") ?? "unknown",
    appendOnly: info.get("aof_enabled") === "1",
    snapshots: await snapshots(redis),
    memory: info.get("used_memory_human") ?? "",
  };
}

async function snapshots(redis: Redis): Promise<boolean | undefined> {
  try {
    const answer: unknown = await redis.config("GET", "save");
    const value = Array.isArray(answer) ? answer[1] : undefined;
    return typeof value === "string" ? value !== "" : undefined;
  } catch {
    return undefined; // not allowed to ask, which is no fault
  }
}

function* findings(
  { version, policy, appendOnly, snapshots: saved, memory }: Facts,
  where: string,
): Generator<Finding> {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const old = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  yield old
    ? problem("Redis version", version, "use Redis 6.2 or later, or Valkey")
    : fine("Redis version", `${version} at ${where}${memory === "" ? "" : `, ${memory} in use`}`);
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
