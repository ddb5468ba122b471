import { createHash } from "node:crypto";
import type { RedisClient } from "../../redis/connection/client.ts";
import { ActivityError } from "../../model/activity-error.ts";
import { canonicalJson } from "../../model/canonical-json.ts";
import { IDEMPOTENCY_TTL_S, IDEMPOTENT_ID_PREFIX } from "../../jobs/queues.ts";
import type { RedisKeys } from "../../redis/keys.ts";
import { loadScript } from "../../redis/scripts/load.ts";
import { queueScript } from "../../redis/scripts/run.ts";

const claimScript = loadScript(new URL("./scripts/claim.lua", import.meta.url), {
  keys: ["claim", "job"],
  args: ["input", "now", "ttl", "by"],
});
const markScript = loadScript(new URL("./scripts/mark-added.lua", import.meta.url), {
  keys: ["claim", "job"],
  args: ["input"],
});
const unclaimScript = loadScript(new URL("./scripts/unclaim.lua", import.meta.url), {
  keys: ["claim"],
  args: ["input", "by"],
});

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
  const now = Date.now();
  for (const { activity, jobId, inputHash } of claims)
    queueScript(pipeline, claimScript, keysOf(keys, activity, jobId), {
      input: inputHash,
      now,
      ttl: IDEMPOTENCY_TTL_S,
      by,
    });
  const replies = (await pipeline.exec()) ?? [];
  return replies.map(([error, reply]) => {
    if (error) throw error;
    return reply as "adding" | "added" | "conflict"; // the script returns nothing else
  });
}

/** Takes back the claims that a call made, and will not use. */
export async function unclaimAll(
  client: RedisClient,
  keys: RedisKeys,
  { claims, by }: { readonly claims: readonly Claim[]; readonly by: string },
): Promise<void> {
  const pipeline = client.pipeline();
  for (const { activity, jobId, inputHash } of claims)
    queueScript(pipeline, unclaimScript, { claim: keys.idempotency(activity, jobId) }, { input: inputHash, by });
  for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
}

/** Notes that the jobs are in their queue. */
export async function markAdded(client: RedisClient, keys: RedisKeys, claims: readonly Claim[]): Promise<void> {
  const pipeline = client.pipeline();
  for (const { activity, jobId, inputHash } of claims)
    queueScript(pipeline, markScript, keysOf(keys, activity, jobId), { input: inputHash });
  for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
}

function keysOf(keys: RedisKeys, activity: string, jobId: string) {
  return { claim: keys.idempotency(activity, jobId), job: keys.job(activity, jobId) };
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
