import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { redisUrl } from "../test/fixtures.ts";
import { startHarness } from "../test/harness.ts";
import { redisKeys } from "../redis/keys.ts";
import { type FailedTry, groupId, leaveFailures } from "./failures.ts";

test("tells of a job every attempt that failed, and counts what failed for good in its group", async () => {
  const harness = await startHarness();
  const redis = new Redis(redisUrl());
  onTestFinished(async () => {
    redis.disconnect();
    await harness.close();
  });
  const { sandbox, producer, prefix, worker } = harness;
  const keys = redisKeys(prefix);
  sandbox.createBucket("in");
  sandbox.fault({ kind: "status", key: "busy.txt", status: 500, code: "InternalError" });
  const busy = await producer.enqueue("head-object", { object: { bucket: "in", key: "busy.txt" } }, { attempts: 2 });
  expect(await busy.succeeded({ timeout: 60_000 })).toBe(false);
  const tries = (await redis.hget(keys.job("head-object", busy.id), "tries"))
    ?.split("\n")
    .map((line) => JSON.parse(line) as FailedTry);
  expect(tries).toMatchObject([{ worker: worker.id }, { worker: worker.id }]);
  const code = tries?.[0]?.code ?? "";
  const group = groupId({ activity: "head-object", code, bucket: "in", profile: "default" });
  expect(await redis.hgetall(keys.failure(group))).toMatchObject({
    code,
    bucket: "in",
    profile: "default",
    count: "1",
    example: busy.id,
  });
  const missing = await Promise.all(
    ["a", "b", "c"].map((key) => producer.enqueue("head-object", { object: { bucket: "in", key } })),
  );
  for (const job of missing) await job.succeeded({ timeout: 60_000 });
  const gone = groupId({ activity: "head-object", code: "NoSuchKey", bucket: "in", profile: "default" });
  expect(await redis.zrange(keys.failures(), "0", "-1")).toEqual([group, gone]);
  expect(await redis.hget(keys.failure(gone), "count")).toBe("3");
  await leaveFailures(redis, keys, { activity: "head-object", id: missing[0]?.id ?? "" });
  expect((await redis.zrange(keys.failedJobs(gone), "0", "-1")).toSorted()).toEqual(
    missing
      .slice(1)
      .map(({ id }) => id)
      .toSorted(),
  );
});

test("a job that was cancelled has not failed", async () => {
  const harness = await startHarness();
  const redis = new Redis(redisUrl());
  onTestFinished(async () => {
    redis.disconnect();
    await harness.close();
  });
  harness.sandbox.createBucket("in");
  harness.sandbox.put("in", "stuck.txt", "x");
  harness.sandbox.fault({ kind: "stall", key: "stuck.txt" });
  const job = await harness.producer.enqueue("head-object", { object: { bucket: "in", key: "stuck.txt" } });
  await expect.poll(() => job.state(), { timeout: 30_000 }).toBe("active");
  await job.cancel();
  expect(await job.succeeded({ timeout: 30_000 })).toBe(false);
  expect(await redis.zcard(redisKeys(harness.prefix).failures())).toBe(0);
});
