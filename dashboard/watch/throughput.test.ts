import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openTestRedis, uniquePrefix } from "../../test/fixtures.ts";
import { createThroughput } from "./throughput.ts";

let redis: Redis;
let prefix: string;
beforeAll(() => {
  redis = openTestRedis();
});
beforeEach(() => {
  prefix = uniquePrefix();
});
afterAll(() => redis.disconnect());

/** The start of the newest bucket of five seconds, in milliseconds, a good while ago. */
const NOW = 1_800_000_000_000;

async function finished(
  activity: string,
  set: "completed" | "failed",
  jobs: readonly { readonly at: number; readonly run?: number; readonly wait?: number }[],
) {
  const pipeline = redis.pipeline();
  for (const [index, { at, run = 0, wait = 0 }] of jobs.entries()) {
    const id = `${set}-${index}`;
    pipeline.zadd(`${prefix}:${activity}:${set}`, at, id);
    pipeline.hset(`${prefix}:${activity}:${id}`, {
      timestamp: at - run - wait,
      delay: 0,
      processedOn: at - run,
      finishedOn: at,
    });
  }
  await pipeline.exec();
}

test("counts what ended in each stretch of time, of one activity or of all", async () => {
  await finished("copy-object", "completed", [{ at: NOW - 1 }, { at: NOW }, { at: NOW + 4999 }, { at: NOW - 10_000 }]);
  await finished("list-objects", "completed", [{ at: NOW }]);
  await finished("copy-object", "failed", [{ at: NOW - 5000 }]);
  const throughput = createThroughput(redis, prefix);
  const all = await throughput.read("15m", undefined, NOW + 4999);
  expect(all).toHaveLength(180);
  expect(all.slice(-3).map(({ completed, failed }) => [completed, failed])).toEqual([
    [1, 0],
    [1, 1],
    [3, 0],
  ]);
  expect(all.slice(-3).map(({ at }) => at * 1000)).toEqual([NOW - 10_000, NOW - 5000, NOW]);
  expect(all.slice(0, -3).every(({ completed, failed }) => completed === 0 && failed === 0)).toBe(true);
  const one = await throughput.read("15m", "list-objects", NOW + 4999);
  expect(one.reduce((sum, { completed }) => sum + (completed ?? 0), 0)).toBe(1);
});

test("says the same after a restart as before", async () => {
  await finished(
    "copy-object",
    "completed",
    Array.from({ length: 50 }, (_, index) => ({ at: NOW - index * 7000, run: index * 10, wait: 5 })),
  );
  const before = await createThroughput(redis, prefix).read("15m", undefined, NOW);
  const throughput = createThroughput(redis, prefix);
  await throughput.read("15m", undefined, NOW - 400_000);
  expect(await throughput.read("15m", undefined, NOW)).toEqual(before);
});

test("tells how long jobs ran and waited, each for as many as it stands for", async () => {
  // A hundred quick ones and a single slow one: half of all jobs were quick.
  await finished(
    "head-object",
    "completed",
    Array.from({ length: 100 }, () => ({ at: NOW + 1, run: 10, wait: 3 })),
  );
  await finished("get-object", "completed", [{ at: NOW + 1, run: 60_000, wait: 1 }]);
  const last = (await createThroughput(redis, prefix).read("15m", undefined, NOW + 4999)).at(-1);
  expect(last).toMatchObject({ completed: 101, runP50: 10, runP95: 10, waitP95: 3 });
});

test("what Redis has dropped is unknown, and not zero", async () => {
  await finished(
    "copy-object",
    "completed",
    Array.from({ length: 10_000 }, (_, index) => ({ at: NOW - index })),
  );
  const buckets = await createThroughput(redis, prefix).read("15m", undefined, NOW);
  expect(buckets.at(-1)?.completed).toBe(1);
  expect(buckets.at(-2)?.completed).toBe(5000);
  expect(buckets.slice(0, -3).every(({ completed, failed }) => completed === null && failed === 0)).toBe(true);
});

test("a job whose times a foreign hand wrote is counted, and stands for no latency", async () => {
  await redis.zadd(`${prefix}:copy-object:completed`, NOW, "odd");
  await redis.hset(`${prefix}:copy-object:odd`, { timestamp: "soon", processedOn: "", finishedOn: "1e" });
  const last = (await createThroughput(redis, prefix).read("15m", undefined, NOW)).at(-1);
  expect(last).toMatchObject({ completed: 1, runP50: null, waitP95: null });
});

test("a delay is no wait, nor is what passed before a job was put back by hand", async () => {
  const job = async (id: string, fields: object) => {
    await redis.zadd(`${prefix}:copy-object:completed`, NOW, id);
    await redis.hset(`${prefix}:copy-object:${id}`, { delay: 0, processedOn: NOW - 5, finishedOn: NOW, ...fields });
  };
  // As BullMQ leaves them: the delay that was asked for is in the options alone.
  await job("delayed", { timestamp: NOW - 60_012, opts: '{"delay":60000}' });
  await job("again", { timestamp: NOW - 86_400_000, again: NOW - 9 });
  await job("tried", { timestamp: NOW - 3_600_000, ats: 3 });
  const last = (await createThroughput(redis, prefix).read("15m", undefined, NOW)).at(-1);
  expect(last).toMatchObject({ completed: 3, runP50: 5, waitP95: 7 });
});
