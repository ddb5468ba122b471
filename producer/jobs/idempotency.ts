import { createHash } from "node:crypto";
import type { RedisClient } from "../../redis/connection/client.ts";
import { ActivityError } from "../../model/activity-error.ts";
import { canonicalJson } from "../../model/canonical-json.ts";
import { IDEMPOTENCY_TTL_S, IDEMPOTENT_ID_PREFIX } from "../../jobs/queues.ts";
import { type RedisKeys } from "../../redis/keys.ts";

/**
 * The first input under a key claims it; whoever comes later learns what has become of it. A job that is kept for longer than its claim, as
 * after a long delay, still says what it stands for: BullMQ would not add another under its id.
 */
const CLAIM = `
local input = redis.call("HGET", KEYS[1], "input")
if not input then
  local kept = redis.call("HGET", KEYS[2], "input")
  if kept and kept ~= ARGV[1] then return "conflict" end
  redis.call("HSET", KEYS[1], "input", ARGV[1], "state", "adding", "createdAt", ARGV[2], "by", ARGV[4])
  redis.call("EXPIRE", KEYS[1], ARGV[3])
  return "adding"
end
if input ~= ARGV[1] then return "conflict" end
local state = redis.call("HGET", KEYS[1], "state") or "adding"
-- More than one call will add the job by now, so none of them may take the claim back.
if state == "adding" and redis.call("HGET", KEYS[1], "by") ~= ARGV[4] then redis.call("HSET", KEYS[1], "shared", "1") end
return state`;

/** Only what is still there: a new record would have no input and no end. */
const MARK = `
if redis.call("EXISTS", KEYS[1]) == 1 then redis.call("HSET", KEYS[1], "state", "added") end
if redis.call("EXISTS", KEYS[2]) == 1 then redis.call("HSETNX", KEYS[2], "input", ARGV[1]) end
return 1`;

/** What an idempotency key stands for: the job and its input. */
export type Claim = {
  readonly activity: string;
  readonly key: string;
  readonly jobId: string;
  readonly inputHash: string;
};

/** The same activity, key and input make the same claim on every machine. */
export function makeClaim(activity: string, key: string, input: unknown): Claim {
  const jobId = `${IDEMPOTENT_ID_PREFIX}${sha256(`${activity}\n${key}`).slice(0, 32)}`;
  return { activity, key, jobId, inputHash: sha256(canonicalJson(input)) };
}

/**
 * Claims keys, all in one round trip. A claim that answers `adding` has to be added (again): its job has a fixed id, which BullMQ adds once.
 * `by` names the call, which can take back what it claimed. `added` must never be added again, because its job may have run and been cleaned up. `conflict`: the key stands for another input.
 */
export async function claimAll(
  client: RedisClient,
  keys: RedisKeys,
  { claims, by }: { readonly claims: readonly Claim[]; readonly by: string },
): Promise<("adding" | "added" | "conflict")[]> {
  const pipeline = client.pipeline();
  const now = String(Date.now());
  for (const { activity, jobId, inputHash } of claims)
    pipeline.eval(CLAIM, 2, ...keysOf(keys, activity, jobId), inputHash, now, String(IDEMPOTENCY_TTL_S), by);
  const replies = (await pipeline.exec()) ?? [];
  return replies.map(([error, reply]) => {
    if (error) throw error;
    return reply as "adding" | "added" | "conflict"; // the script returns nothing else
  });
}

/** Only a claim of this very call, which no other has joined, and whose job was not added. */
const UNCLAIM = `
local claim = redis.call("HMGET", KEYS[1], "input", "state", "by", "shared")
if claim[1] == ARGV[1] and claim[2] == "adding" and claim[3] == ARGV[2] and not claim[4] then return redis.call("DEL", KEYS[1]) end
return 0`;

/** Takes back the claims that a call made, and will not use. */
export async function unclaimAll(
  client: RedisClient,
  keys: RedisKeys,
  { claims, by }: { readonly claims: readonly Claim[]; readonly by: string },
): Promise<void> {
  const pipeline = client.pipeline();
  for (const { activity, jobId, inputHash } of claims)
    pipeline.eval(UNCLAIM, 1, keys.idempotency(activity, jobId), inputHash, by);
  for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
}

/** Notes that the jobs are in their queue. */
export async function markAdded(client: RedisClient, keys: RedisKeys, claims: readonly Claim[]): Promise<void> {
  const pipeline = client.pipeline();
  for (const { activity, jobId, inputHash } of claims)
    pipeline.eval(MARK, 2, ...keysOf(keys, activity, jobId), inputHash);
  for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
}

function keysOf(keys: RedisKeys, activity: string, jobId: string): [claim: string, job: string] {
  return [keys.idempotency(activity, jobId), keys.job(activity, jobId)];
}

export function conflictError({ activity, key, jobId }: Claim, where = ""): ActivityError {
  return new ActivityError(
    "IdempotencyConflict",
    `${where}the idempotency key ${JSON.stringify(key)} already stands for another input of ${activity} (job ${jobId})`,
    { field: "idempotencyKey" },
  );
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
