import type { RedisClient } from "../../redis/connection/client.ts";
import { redisKeys } from "../../redis/keys.ts";
import { instant } from "../job-views/job-fields.ts";
import { isForeign } from "../../redis/foreign.ts";
import { explained, iso, type Problem, SHOWN, shown } from "./interface.ts";

/** Groups that are looked at; there may be a thousand. */
const MOST = 300;
const HOUR_MS = 3_600_000;
const HOURS = 24;

/** Failed jobs by what they have in common, the newest first: at the cost of the groups, however many jobs failed. */
export async function readFailureGroups(redis: RedisClient, prefix: string, now = Date.now()): Promise<Problem[]> {
  const keys = redisKeys(prefix);
  const ids = await redis.zrevrange(keys.failures(), 0, MOST - 1);
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hgetall(keys.failure(id)).zcard(keys.failedJobs(id));
  const replies = ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error && !isForeign(error)) throw error;
    return error ? undefined : reply;
  });
  return ids.flatMap((id, index) => {
    const hash = (replies[2 * index] ?? {}) as Readonly<Record<string, string>>; // HGETALL's reply
    const open = Number(replies[2 * index + 1] ?? 0);
    // All of it was retried or forgotten.
    return open === 0 || hash["code"] === undefined ? [] : [problemOf(id, hash, { open, now })];
  });
}

function problemOf(
  id: string,
  hash: Readonly<Record<string, string>>,
  { open, now }: { readonly open: number; readonly now: number },
): Problem {
  const { code = "", bucket = "", profile = "", message = "" } = hash;
  const [activity, example] = [shown(hash["activity"] ?? ""), (hash["example"] ?? "").slice(0, SHOWN.message)];
  return {
    id: `jobs-${id}`,
    kind: "jobs",
    severity: "danger",
    title: `${activity} fails with ${shown(code)}`,
    code: shown(code),
    activity,
    ...(bucket !== "" && { bucket: shown(bucket) }),
    ...(profile !== "" && { profile: shown(profile) }),
    count: Number(hash["count"] ?? 0) || 0,
    open,
    firstSeen: instant(hash["first"]) ?? iso(now),
    lastSeen: instant(hash["last"]) ?? iso(now),
    trend: trendOf(hash, now),
    message: shown(message, SHOWN.message),
    example: { path: `/jobs/${activity}/${encodeURIComponent(example)}`, text: shown(example) },
    related: [],
    ...explained(code),
    actions: ["retry", "forget"],
  };
}

/** Each of the hash's 24 slots says of which hour it is; others are of another day. */
function trendOf(hash: Readonly<Record<string, string>>, now: number): number[] {
  const last = Math.floor(now / HOUR_MS);
  return Array.from({ length: HOURS }, (_, index) => {
    const hour = last - (HOURS - 1) + index;
    const [of, count] = (hash[`h${hour % HOURS}`] ?? "").split(":");
    return Number(of) === hour ? Number(count) : 0;
  });
}
