import type { RedisClient } from "../../redis/connection/client.ts";
import { activityNames } from "../../jobs/contracts.ts";
import { keptForEach } from "./kept-for.ts";
import { redisKeys } from "../../redis/keys.ts";

/** Spans that can be looked at: the length of a bucket in seconds, and how many there are. */
export const RANGES = {
  "15m": { step: 5, count: 180 },
  "1h": { step: 20, count: 180 },
  "24h": { step: 480, count: 180 },
} as const;
export type Range = keyof typeof RANGES;

/** What ended in one stretch of time. Null where Redis does not know any more. */
export type Bucket = {
  /** Its start, in seconds since 1970. */
  readonly at: number;
  readonly completed: number | null;
  readonly failed: number | null;
  /** Milliseconds of running and of waiting to be run, of a sample of the jobs completed in it. */
  readonly runP50: number | null;
  readonly runP95: number | null;
  readonly waitP95: number | null;
};

/** However many follow the figures, Redis is asked so often at most. */
const FRESH_MS = 900;

/** Jobs looked at for latencies, of each activity in each bucket. */
const SAMPLE = 6;
/** From so many retained jobs on, a queue may have dropped older ones by count, and its oldest one tells since when it is complete. */
const MAY_BE_TRIMMED = 10_000;

/**
 * Counts what ended in each bucket from the scores of the finished jobs, so the figures are the same whenever and wherever they are
 * asked for, also after a restart of the dashboard. KEYS: completed, failed. ARGV: the queue's key, start, step (ms), buckets, sample, may be trimmed.
 * Answers for each bucket: completed, failed, and the sampled jobs' `run,wait` in milliseconds; counts of -1 are unknown.
 */
const COUNT = `
local out = {}
if redis.call("EXISTS", KEYS[1], KEYS[2]) == 0 then
  for b = 1, tonumber(ARGV[4]) do out[b] = { 0, 0, {} } end
  return out
end
local start, step, n = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local since = {}
for i = 1, 2 do
  since[i] = 0
  if redis.call("ZCARD", KEYS[i]) >= tonumber(ARGV[6]) then since[i] = tonumber(redis.call("ZRANGE", KEYS[i], 0, 0, "WITHSCORES")[2]) end
end
for b = 0, n - 1 do
  local from, to = start + b * step, "(" .. string.format("%.0f", start + (b + 1) * step)
  local counts = {}
  for i = 1, 2 do counts[i] = from < since[i] and -1 or redis.call("ZCOUNT", KEYS[i], from, to) end
  local sample = {}
  if counts[1] > 0 then
    for _, id in ipairs(redis.call("ZREVRANGEBYSCORE", KEYS[1], to, from, "LIMIT", 0, ARGV[5])) do
      local job = redis.call("HMGET", ARGV[1] .. id, "timestamp", "delay", "processedOn", "finishedOn")
      local t, d, p, f = tonumber(job[1]), tonumber(job[2]) or 0, tonumber(job[3]), tonumber(job[4])
      if t and p and f then
        sample[#sample + 1] = math.max(0, f - p)
        sample[#sample + 1] = math.max(0, p - t - d)
      end
    end
  end
  out[#out + 1] = { counts[1], counts[2], sample }
end
return out`;

type Raw = readonly [completed: number, failed: number, sample: readonly number[]];

/** Reads buckets and keeps those that are over, because they do not change any more. */
export function createThroughput(redis: RedisClient, prefix: string) {
  const keys = redisKeys(prefix);
  const kept = new Map<string, Map<number, Bucket>>();

  const read = async (range: Range, activity?: string, now = Date.now()): Promise<readonly Bucket[]> => {
    const { step, count } = RANGES[range];
    const name = `${range}/${activity ?? ""}`;
    const known = kept.get(name) ?? new Map<number, Bucket>();
    kept.set(name, known);
    const last = Math.floor(now / 1000 / step) * step;
    const first = last - (count - 1) * step;
    for (const at of known.keys()) if (at < first) known.delete(at);
    let missing = first;
    while (known.has(missing)) missing += step;
    const queues = activity === undefined ? activityNames : [activity];
    const fresh = await bucketsOf(queues, missing, step, (last - missing) / step + 1);
    // A job that ends in this moment may carry a time of a moment ago: the last two stay open.
    for (const bucket of fresh) if (bucket.at < last - step) known.set(bucket.at, bucket);
    return [...[...known.values()].filter(({ at }) => at < missing), ...fresh];
  };
  return {
    /** The buckets of a range, oldest first; the last one is still filling. `activity` narrows it to one. */
    read,
    /** The newest buckets of 15 minutes, at most a second old: one look for all who follow them. The empty name is every activity. */
    newest: keptForEach(FRESH_MS, async (activity) => (await read("15m", activity || undefined)).slice(-3)),
  };

  async function bucketsOf(queues: readonly string[], from: number, step: number, count: number): Promise<Bucket[]> {
    const pipeline = redis.pipeline();
    for (const queue of queues) {
      const args = [keys.job(queue, ""), from * 1000, step * 1000, count, SAMPLE, MAY_BE_TRIMMED];
      pipeline.eval(COUNT, 2, keys.job(queue, "completed"), keys.job(queue, "failed"), ...args);
    }
    const replies = ((await pipeline.exec()) ?? []).map(([error, reply]) => {
      if (error) throw error;
      return reply as Raw[]; // as the script returns it
    });
    return Array.from({ length: count }, (_, index) =>
      merge(
        from + index * step,
        replies.flatMap((buckets) => (buckets[index] ? [buckets[index]] : [])),
      ),
    );
  }
}
export type Throughput = ReturnType<typeof createThroughput>;

/** One bucket of several queues. */
function merge(at: number, raws: readonly Raw[]): Bucket {
  const sum = (index: 0 | 1) =>
    raws.some((raw) => raw[index] < 0) ? null : raws.reduce((total, raw) => total + raw[index], 0);
  const samples = raws.flatMap(([completed, , sample]) => {
    const size = sample.length / 2;
    // Each sampled job stands for as many as its queue completed, so that a rare slow activity does not look like the rule.
    const weight = completed / size;
    return Array.from({ length: size }, (_, index) => ({
      run: sample[2 * index] ?? 0,
      wait: sample[2 * index + 1] ?? 0,
      weight,
    }));
  });
  return {
    at,
    completed: sum(0),
    failed: sum(1),
    runP50: percentile(
      samples.map(({ run, weight }) => [run, weight]),
      0.5,
    ),
    runP95: percentile(
      samples.map(({ run, weight }) => [run, weight]),
      0.95,
    ),
    waitP95: percentile(
      samples.map(({ wait, weight }) => [wait, weight]),
      0.95,
    ),
  };
}

function percentile(weighted: readonly (readonly [value: number, weight: number])[], part: number): number | null {
  const sorted = weighted.toSorted(([a], [b]) => a - b);
  const total = sorted.reduce((sum, [, weight]) => sum + weight, 0);
  let passed = 0;
  for (const [value, weight] of sorted) {
    passed += weight;
    if (passed >= part * total) return value;
  }
  return null;
}
