import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { redisUrl, uniquePrefix } from "../../test/fixtures.ts";
import { startHarness } from "../../test/harness.ts";
import { readQueueCounts } from "./queue-counts.ts";

test("the age of what waits counts from when it was due, and not from when it was asked for", async () => {
  const harness = await startHarness({ env: { BUCKETLINE_ACTIVITIES: "head-bucket" } });
  const redis = new Redis(redisUrl(), { maxRetriesPerRequest: null });
  const queue = new Queue("head-bucket", { connection: redis, prefix: harness.prefix });
  onTestFinished(async () => {
    await queue.close();
    redis.disconnect();
    await harness.close();
  });
  await queue.pause();
  const job = await harness.producer.enqueue("head-bucket", { bucket: "abc" }, { delay: 500 });
  // A week ago, to be run now: as every job of a schedule is asked for ahead of its time.
  const week = 7 * 86_400_000;
  const asked = Date.now() - week;
  await redis.hset(
    `${harness.prefix}:head-bucket:${job.id}`,
    "timestamp",
    asked,
    "opts",
    JSON.stringify({ delay: week }),
  );
  const counts = async () =>
    (await readQueueCounts(redis, harness.prefix)).queues.find(({ name }) => name === "head-bucket");
  await expect.poll(async () => (await counts())?.waiting, { timeout: 20_000 }).toBe(1);
  expect((await counts())?.oldestWaitingMs).toBeLessThan(60_000);
});

test("the age of a job that was tried counts from its last attempt", async () => {
  const redis = new Redis(redisUrl());
  onTestFinished(() => redis.disconnect());
  const prefix = uniquePrefix();
  const now = Date.now();
  await redis.lpush(`${prefix}:head-bucket:wait`, "tried");
  await redis.hset(`${prefix}:head-bucket:tried`, { timestamp: now - 86_400_000, processedOn: now - 3000, opts: "{}" });
  const { queues: counts } = await readQueueCounts(redis, prefix, now);
  expect(counts.find(({ name }) => name === "head-bucket")?.oldestWaitingMs).toBe(3000);
});
