import { createHash } from "node:crypto";
import type { RedisClient } from "../redis/connection/client.ts";
import type { RedisKeys } from "../redis/keys.ts";
import { loadScript } from "../redis/scripts/load.ts";
import { runScript } from "../redis/scripts/run.ts";
import type { ActivityError } from "../model/activity-error.ts";

/** An attempt that failed, as its job's story tells it. */
export type FailedTry = {
  /** When it began, in ms since 1970. */
  readonly at: number;
  readonly ms: number;
  readonly code: string;
  /** The worker's id. */
  readonly worker: string;
};

/** What failed jobs have in common that are looked at together. */
export type FailureGroup = {
  readonly activity: string;
  readonly code: string;
  /** Empty where the job names none. */
  readonly bucket: string;
  readonly profile: string;
};

const script = loadScript(new URL("./note-failure.lua", import.meta.url), {
  keys: ["job", "failures", "failure", "jobs"],
  args: ["error", "try", "final", "now", "group", "activity", "code", "bucket", "profile", "id", "message"],
});

/** Characters kept of what anybody may have written. */
const MAX_NAME = 256;
const MAX_MESSAGE = 1024;

/** The id of a group: it stays the same, so that it can be an address. */
export function groupId({ activity, code, bucket, profile }: FailureGroup): string {
  const parts = [activity, code, bucket, profile].join("\n");
  return createHash("sha256").update(parts).digest("hex").slice(0, 16);
}

/** What a failed job is grouped by. A job whose data is none of ours has no bucket and no profile. */
export function groupOf(activity: string, code: string, data: unknown): FailureGroup {
  const object = field(data, "object");
  return {
    activity,
    code: code.slice(0, MAX_NAME),
    bucket: text(field(object, "bucket") ?? field(data, "bucket")),
    profile: profileOf(field(data, "credentials")),
  };
}

/** The profile that a job names; sealed credentials have none. */
export function profileOf(credentials: unknown): string {
  if (credentials === undefined) return "default";
  return typeof credentials === "string" ? text(credentials) : "sealed";
}

/** Writes down what an attempt failed with; `final` where no other one follows. False where the job is gone. */
export async function noteFailure(
  redis: RedisClient,
  keys: RedisKeys,
  noted: {
    readonly activity: string;
    readonly id: string;
    readonly data: unknown;
    readonly error: ActivityError;
    readonly failed: FailedTry;
    readonly final: boolean;
  },
): Promise<boolean> {
  const { activity, id, data, error, failed, final } = noted;
  const group = groupOf(activity, error.code, data);
  const hash = groupId(group);
  const written = await runScript(
    redis,
    script,
    {
      job: keys.job(activity, id),
      failures: keys.failures(),
      failure: keys.failure(hash),
      jobs: keys.failedJobs(hash),
    },
    {
      ...group,
      error: JSON.stringify(error),
      try: JSON.stringify(failed),
      final: final ? 1 : 0,
      now: Date.now(),
      group: hash,
      id,
      message: error.message.slice(0, MAX_MESSAGE),
    },
  );
  return written === 1;
}

/**
 * Takes a job out of its group: it is to run again. What the group has been through stays known, should the job come back.
 *
 * @returns the group, where it was in one
 */
export async function leaveFailures(
  redis: RedisClient,
  keys: RedisKeys,
  { activity, id }: { readonly activity: string; readonly id: string },
): Promise<string | undefined> {
  const group = await redis.hget(keys.job(activity, id), "failure");
  if (group === null) return undefined;
  await redis.zrem(keys.failedJobs(group), id);
  await redis.hdel(keys.job(activity, id), "failure");
  return group;
}

/** Nobody wants to hear of a job any more. A group that is forgotten whole begins anew where something fails alike later. */
export async function forgetFailure(
  redis: RedisClient,
  keys: RedisKeys,
  job: { readonly activity: string; readonly id: string },
): Promise<void> {
  const group = await leaveFailures(redis, keys, job);
  if (group === undefined) return;
  if ((await redis.zcard(keys.failedJobs(group))) > 0) return;
  await redis.del(keys.failure(group));
  await redis.zrem(keys.failures(), group);
}

function field(of: unknown, name: string): unknown {
  return typeof of === "object" && of !== null ? (of as Readonly<Record<string, unknown>>)[name] : undefined; // it is an object
}

const text = (value: unknown): string => (typeof value === "string" ? value.slice(0, MAX_NAME) : "");
