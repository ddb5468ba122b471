import { setTimeout as sleep } from "node:timers/promises";
import { ActivityError } from "../../model/activity-error.ts";
import { isCluster, type RedisClient } from "../connection/client.ts";
import { connectionProblem } from "../connection/problem.ts";
import { lastRefusal } from "../connection/connect.ts";
import { isTooOld, readInfo, type RedisInfo } from "./info.ts";
import { missingRights } from "./missing-rights.ts";
import { probeWrite } from "./write-watch.ts";

export type RedisFacts = {
  readonly version: string;
  readonly evictionPolicy: string;
  /** Connected to it; 0 where it does not say. */
  readonly replicas: number;
};

type Options = {
  /** Accept a Redis that may drop keys. Default false. */
  readonly allowEviction?: boolean;
  /** A key of ours, to be written for a moment: a server that answers may still be the wrong one, or take no writes. */
  readonly probeKey: string;
  /** Called with what keeps Redis from taking writes, while that is waited for. */
  readonly onTrouble?: (error: unknown) => void;
  readonly signal?: AbortSignal | undefined;
};

const RIGHTS = "docs/production.md lists what a user of Redis has to be allowed";

const LOOK_AGAIN_MS = 1000;

/**
 * Resolves once Redis takes writes: one that is loading, full or busy is waited for.
 *
 * @throws ActivityError `UnsafeRedis` where Redis may drop jobs by itself, is too old, a read-only replica, the wrong node of a cluster, or
 * refuses a command that is needed
 */
export async function checkRedis(client: RedisClient, options: Options): Promise<RedisFacts> {
  const { allowEviction = false, probeKey } = options;
  const ask = async <T>(question: () => Promise<T>) => await permitted(() => patiently(question, options));
  await ask(() => refuseMissingDatabase(client));
  const info = await ask(() => readInfo(client, probeKey));
  if (info.get("role") === "slave") throw replicaError(info);
  await ask(() => Promise.race([probeWrite(client, probeKey), refusedAsReplica(client, options.signal)]));
  refuseWithout(await ask(() => missingRights(client, probeKey)));
  const facts = factsOf(info);
  if (isTooOld(facts.version))
    throw new ActivityError("UnsafeRedis", `expected Redis 6.2 or newer, got ${facts.version}`);
  if (facts.evictionPolicy !== "noeviction" && !allowEviction)
    throw new ActivityError(
      "UnsafeRedis",
      `expected maxmemory-policy noeviction, got ${facts.evictionPolicy}: Redis may drop accepted jobs. ` +
        "Run `redis-cli config set maxmemory-policy noeviction`, or set BUCKETLINE_ALLOW_EVICTION=true to accept the loss",
    );
  return facts;
}

function refuseWithout(missing: readonly string[]): void {
  if (missing.length === 0) return;
  throw new ActivityError(
    "UnsafeRedis",
    `expected the right to commands that are needed, missing: ${missing.join(", ")}. ${RIGHTS}`,
  );
}

function factsOf(info: RedisInfo): RedisFacts {
  return {
    version: info.get("redis_version") ?? "unknown",
    evictionPolicy: info.get("maxmemory_policy") ?? "unknown",
    replicas: Number(info.get("connected_slaves") ?? 0),
  };
}

function replicaError(info: RedisInfo, cause?: unknown): ActivityError {
  const master = info.get("master_host");
  const of = master === undefined ? "" : ` of ${master}:${info.get("master_port") ?? "6379"}`;
  return new ActivityError(
    "UnsafeRedis",
    `expected a Redis that takes writes, got a read-only replica${of} (READONLY): set REDIS_URL to the primary, or to its sentinels as ` +
      "redis+sentinel://host:26379/mymaster",
    { cause },
  );
}

/** What Redis refuses for good is told with what to do about it. */
async function permitted<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    const reply = cause instanceof Error ? cause.message : String(cause);
    const owner = /^MOVED \d+ (\S+)/.exec(reply)?.[1];
    if (owner !== undefined)
      throw new ActivityError(
        "UnsafeRedis",
        `expected the whole cluster, got one node of it that does not hold our keys (${owner} does): set REDIS_URL to redis+cluster://${owner}, ` +
          "and BUCKETLINE_PREFIX to one in braces",
        { cause },
      );
    if (/^(NOPERM|ERR unknown command)/.test(reply))
      throw new ActivityError(
        "UnsafeRedis",
        `expected the right to a command that is needed, got: ${reply}. ${RIGHTS}`,
        { cause },
      );
    throw cause;
  }
}

/** One that is busy, full or loading is asked again until it is not. */
async function patiently<T>(ask: () => Promise<T>, { onTrouble, signal }: Options): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (connectionProblem(error) !== "transient") throw error;
      onTrouble?.(error);
      await sleep(LOOK_AGAIN_MS, undefined, { signal });
    }
  }
}

/** A write to a replica waits for the server that takes it, so what the replica says is looked for beside it. */
async function refusedAsReplica(client: RedisClient, signal?: AbortSignal): Promise<never> {
  for (;;) {
    await sleep(LOOK_AGAIN_MS / 4, undefined, { signal, ref: false });
    const refusal = lastRefusal(client);
    if (refusal?.startsWith("READONLY")) throw replicaError(new Map(), new Error(refusal));
  }
}

/** ioredis reports such a database only as an event, and goes on in database 0. */
async function refuseMissingDatabase(client: RedisClient): Promise<void> {
  const db = isCluster(client) ? 0 : (client.options.db ?? 0);
  if (db === 0 || isCluster(client)) return;
  try {
    await client.select(db);
  } catch (cause) {
    if (connectionProblem(cause) === "transient") throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ActivityError("UnsafeRedis", `expected a database that Redis has, got ${db} (${why}): change REDIS_URL`, {
      cause,
    });
  }
}
