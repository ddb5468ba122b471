import type { Redis } from "ioredis";
import { ActivityError } from "./activity-error.ts";
import { redisKeys } from "./queues.ts";

/** The raw text kept of a malformed job, in characters. */
const KEPT = 64 * 1024;

/** What job data looks like after it was put aside. */
export const QUARANTINED_DATA = { quarantined: true } as const;

/**
 * Puts one job aside: out of whatever list it is in, into `failed`, readable again for everybody who lists jobs.
 * KEYS: job hash, wait, active, delayed, prioritized, failed, quarantine, events, lock. ARGV: id, reason, now, error, record, data.
 */
const PUT_ASIDE = `
local found = redis.call('LREM', KEYS[2], 0, ARGV[1]) + redis.call('LREM', KEYS[3], 0, ARGV[1])
  + redis.call('ZREM', KEYS[4], ARGV[1]) + redis.call('ZREM', KEYS[5], ARGV[1])
if found == 0 or redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[7], ARGV[7], ARGV[5])
redis.call('HSET', KEYS[1], 'data', ARGV[6], 'opts', '{"attempts":1}', 'progress', '0', 'failedReason', ARGV[2], 'finishedOn', ARGV[3], 'error', ARGV[4])
redis.call('HDEL', KEYS[1], 'parent', 'returnvalue', 'stacktrace')
redis.call('DEL', KEYS[9])
redis.call('ZADD', KEYS[6], ARGV[3], ARGV[1])
redis.call('XADD', KEYS[8], 'MAXLEN', '~', '10000', '*', 'event', 'failed', 'jobId', ARGV[1], 'failedReason', ARGV[2], 'prev', 'active')
return 1`;

/**
 * Finds jobs of a queue whose data, options or progress are not JSON and puts them into quarantine, where they fail with
 * `MalformedJob` and break nothing: BullMQ by itself keeps such a job active for ever, and listing it throws.
 * Looks at `ids`, or at up to 1,000 of the active and the next waiting jobs. Returns the ids put aside.
 */
export async function quarantineMalformed(
  redis: Redis,
  { prefix, queue, ids }: { readonly prefix: string; readonly queue: string; readonly ids?: readonly string[] },
): Promise<readonly string[]> {
  const base = `${prefix}:${queue}`;
  const looked = ids ?? (await candidates(redis, base));
  const aside: string[] = [];
  for (const id of looked) {
    const [data, opts, progress, parent] = await redis.hmget(`${base}:${id}`, "data", "opts", "progress", "parent");
    const broken = Object.entries({ data, opts, progress, parent }).find(([, text]) => !isJson(text ?? null));
    if (broken === undefined) continue;
    if (await putAside(redis, { prefix, queue, id, field: broken[0], raw: broken[1] ?? "" })) aside.push(id);
  }
  return aside;
}

async function candidates(redis: Redis, base: string): Promise<string[]> {
  const [active, waiting, prioritized, delayed] = await Promise.all([
    redis.lrange(`${base}:active`, 0, 999),
    redis.lrange(`${base}:wait`, -1000, -1),
    redis.zrange(`${base}:prioritized`, "0", "999"),
    redis.zrange(`${base}:delayed`, "0", "999"),
  ]);
  return [...active, ...waiting, ...prioritized, ...delayed];
}

function isJson(text: string | null): boolean {
  if (text === null || text === "") return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // the answer, not an error
  }
}

type Malformed = { prefix: string; queue: string; id: string; field: string; raw: string };

async function putAside(redis: Redis, { prefix, queue, id, field, raw }: Malformed): Promise<boolean> {
  const base = `${prefix}:${queue}`;
  const error = new ActivityError("MalformedJob", `${queue} job ${id}: ${field}: expected JSON`, { field });
  const record = JSON.stringify({
    reason: error.message,
    field,
    raw: raw.slice(0, KEPT),
    at: new Date().toISOString(),
  });
  const keys = [
    `${base}:${id}`,
    ...["wait", "active", "delayed", "prioritized", "failed"].map((set) => `${base}:${set}`),
    redisKeys(prefix).quarantine(),
    `${base}:events`,
    `${base}:${id}:lock`,
  ];
  const args = [
    id,
    error.message,
    Date.now(),
    JSON.stringify(error),
    record,
    JSON.stringify(QUARANTINED_DATA),
    `${queue}/${id}`,
  ];
  return (await redis.eval(PUT_ASIDE, keys.length, ...keys, ...args)) === 1;
}
