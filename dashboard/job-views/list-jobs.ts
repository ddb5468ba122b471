import type { RedisClient } from "../../redis/connection/client.ts";
import { queueFields } from "../../redis/cut-fields.ts";
import { redisKeys } from "../../redis/keys.ts";
import {
  errorOf,
  instant,
  isMalformed,
  type JobError,
  type JobState,
  parseJson,
  type Subject,
  subjectOf,
} from "./job-fields.ts";

/** A job in a list. */
export type JobRow = Subject & {
  readonly id: string;
  readonly state: JobState;
  /** Its data is not JSON; it is put into quarantine when a worker comes upon it. */
  readonly malformed?: boolean;
  readonly createdAt?: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  /** When a delayed job is due. */
  readonly dueAt?: string;
  readonly attempts: number;
  readonly error?: JobError;
};

export type JobPage = { readonly total: number; readonly jobs: readonly JobRow[] };

type Wanted = { readonly queue: string; readonly state: JobState; readonly offset: number; readonly limit: number };

const FIELDS = ["data", "opts", "timestamp", "processedOn", "finishedOn", "atm", "failedReason", "error"] as const;

/** A page of a queue's jobs in one state: two round trips, whatever the queue holds. The next to run, or the newest to end, come first. */
export async function listJobs(redis: RedisClient, prefix: string, wanted: Wanted): Promise<JobPage> {
  const { total, ids } = await readIds(redis, prefix, wanted);
  const { queue, state } = wanted;
  const rows = await readRows(
    redis,
    prefix,
    ids.map((id) => ({ activity: queue, id, state })),
  );
  return { total, jobs: rows.map(({ activity: _queue, ...row }) => row) };
}

const mayBeDelayed = (state: JobState): boolean => state === "delayed" || state === "waiting";

/** What lists show of jobs of any queues, in one round trip. */
export async function readRows(
  redis: RedisClient,
  prefix: string,
  wanted: readonly { readonly activity: string; readonly id: string; readonly state: JobState }[],
): Promise<readonly (JobRow & { readonly activity: string })[]> {
  const keys = redisKeys(prefix);
  const pipeline = redis.pipeline();
  for (const { activity, id, state } of wanted) {
    queueFields(pipeline, keys.job(activity, id), FIELDS);
    if (mayBeDelayed(state)) pipeline.zscore(keys.job(activity, "delayed"), id);
  }
  const replies = ((await pipeline.exec()) ?? []).values();
  return wanted.flatMap(({ activity, id, state }) => {
    const [error, reply] = replies.next().value ?? [];
    const due = mayBeDelayed(state) ? (replies.next().value?.[1] as string | null) : null; // ZSCORE's reply
    // A foreign key under a job's name is no job.
    return error ? [] : [{ activity, ...rowOf({ id, state, due }, reply as (string | null)[]) }]; // HMGET's reply
  });
}

/** Which jobs are on a page, and how many there are. */
export async function readIds(redis: RedisClient, prefix: string, { queue, state, offset, limit }: Wanted) {
  const key = (set: string) => redisKeys(prefix).job(queue, set);
  const last = offset + limit - 1;
  const now = Date.now();
  if (state === "waiting") return readWaiting(redis, key, { offset, limit, now });
  if (state === "delayed") {
    const [total, ids] = await Promise.all([
      redis.zcount(key("delayed"), delayedScore(now + 1), "+inf"),
      redis.zrangebyscore(key("delayed"), delayedScore(now + 1), "+inf", "LIMIT", offset, limit),
    ]);
    return { total, ids };
  }
  if (state === "active") {
    const [total, ids] = await Promise.all([redis.llen(key("active")), redis.lrange(key("active"), offset, last)]);
    return { total, ids };
  }
  const newestFirst = state === "completed" || state === "failed";
  const [total, ids] = await Promise.all([
    redis.zcard(key(state)),
    newestFirst ? redis.zrevrange(key(state), offset, last) : redis.zrange(key(state), String(offset), String(last)),
  ]);
  return { total, ids };
}

/** BullMQ's score of a delayed job that is due at a time. */
export const delayedScore = (at: number): number => at * 4096;
/** When a delayed job is due, by its score: also of one that waits for its next attempt. */
export const dueOf = (score: number | string): number => Math.floor(Number(score) / 4096);

type Span = { readonly offset: number; readonly limit: number; readonly now: number };

/** Jobs without a priority go before those with one; last come delayed ones whose time has come, which BullMQ moves when a worker takes its next. */
async function readWaiting(redis: RedisClient, key: (set: string) => string, { offset, limit, now }: Span) {
  const before = `(${delayedScore(now + 1)}`;
  const [plain, prioritized, due] = await Promise.all([
    redis.llen(key("wait")),
    redis.zcard(key("prioritized")),
    redis.zcount(key("delayed"), "-inf", before),
  ]);
  // The next one is at the end of the list.
  const first = offset >= plain ? [] : await redis.lrange(key("wait"), -(offset + limit), -(offset + 1));
  const start = Math.max(0, offset - plain);
  const missing = limit - first.length;
  const rest = missing > 0 ? await redis.zrange(key("prioritized"), String(start), String(start + missing - 1)) : [];
  const left = missing - rest.length;
  const skip = Math.max(0, offset - plain - prioritized);
  const last =
    left > 0 && due > 0 ? await redis.zrangebyscore(key("delayed"), "-inf", before, "LIMIT", skip, left) : [];
  return { total: plain + prioritized + due, ids: [...first.toReversed(), ...rest, ...last] };
}

type Placed = { readonly id: string; readonly state: JobState; readonly due: string | null };

function rowOf({ id, state, due }: Placed, reply: readonly (string | null)[]): JobRow {
  const [data, opts, timestamp, processedOn, finishedOn, attempts, failedReason, stored] = reply;
  const error = state === "failed" || state === "delayed" ? errorOf(stored, failedReason) : undefined;
  const dueAt = due === null ? undefined : instant(dueOf(due));
  return {
    id,
    state,
    ...subjectOf(parseJson(data)),
    ...(isMalformed(data, opts) && { malformed: true }),
    ...times({ createdAt: timestamp, startedAt: processedOn, finishedAt: finishedOn }),
    ...(dueAt !== undefined && { dueAt }),
    attempts: Number(attempts ?? 0) || 0,
    ...(error !== undefined && { error }),
  };
}

/** Points in time, without those that are not there. */
export function times(given: Readonly<Record<string, string | null | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, ms]) => {
      const at = instant(ms);
      return at === undefined ? [] : [[name, at]];
    }),
  );
}
