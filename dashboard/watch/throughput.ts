import type { RedisClient } from "../../redis/connection/client.ts";
import { activityNames } from "../../jobs/contracts.ts";
import { createRedisClock } from "./redis-clock.ts";
import { keptForEach } from "./kept-for.ts";
import { isForeign } from "../../redis/foreign.ts";
import { redisKeys } from "../../redis/keys.ts";
import { loadScript } from "../../redis/scripts/load.ts";
import { queueScript } from "../../redis/scripts/run.ts";

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

/** Counts from the scores of the finished jobs, so that the figures are the same whenever and wherever they are asked for, also after a restart. */
const countEnded = loadScript(new URL("./scripts/count-ended.lua", import.meta.url), {
  keys: ["completed", "failed"],
  args: ["jobs", "start", "step", "buckets", "sample", "trimmed"],
});

type Raw = readonly [completed: number, failed: number, sample: readonly number[]];

/** Reads buckets and keeps those that are over, because they do not change any more. */
export function createThroughput(redis: RedisClient, prefix: string, clock = createRedisClock(redis)) {
  const keys = redisKeys(prefix);
  const kept = new Map<string, Map<number, Bucket>>();

  const read = async (range: Range, activity?: string, asOf?: number): Promise<readonly Bucket[]> => {
    const now = asOf ?? (await clock());
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
    newest: keptForEach(FRESH_MS, async (activity) => ({
      step: RANGES["15m"].step,
      buckets: (await read("15m", activity || undefined)).slice(-3),
    })),
  };

  async function bucketsOf(queues: readonly string[], from: number, step: number, count: number): Promise<Bucket[]> {
    const pipeline = redis.pipeline();
    for (const queue of queues) {
      const span = { start: from * 1000, step: step * 1000, buckets: count };
      queueScript(
        pipeline,
        countEnded,
        { completed: keys.job(queue, "completed"), failed: keys.job(queue, "failed") },
        { jobs: keys.job(queue, ""), ...span, sample: SAMPLE, trimmed: MAY_BE_TRIMMED },
      );
    }
    const replies = ((await pipeline.exec()) ?? []).map(([error, reply]) => {
      if (error && !isForeign(error)) throw error;
      // Of a queue in whose place something else lies, nothing is known.
      return error ? [] : (reply as Raw[]); // as the script returns it
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
      samples.filter(({ wait }) => wait >= 0).map(({ wait, weight }) => [wait, weight]),
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
