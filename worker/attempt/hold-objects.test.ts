import { once } from "node:events";
import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, expect, test } from "vitest";
import { ActivityError } from "../../model/activity-error.ts";
import { redisKeys } from "../../redis/keys.ts";
import { createLeases } from "../../redis/leases.ts";
import { connectionTo } from "../../test/open-s3.ts";
import { redisUrl, uniquePrefix } from "../../test/fixtures.ts";
import { holdObjects } from "./hold-objects.ts";

const redis = new Redis(redisUrl());
afterAll(() => redis.disconnect());

const connection = connectionTo({ endpoint: "http://127.0.0.1:1", region: "us-east-1" } as Parameters<
  typeof connectionTo
>[0]);
const objects = [
  { connection, bucket: "one", key: "x", role: "deletes" as const },
  { connection, bucket: "two", key: "x", role: "writes" as const },
];

function open() {
  const prefix = uniquePrefix();
  const leases = createLeases(redis, redisKeys(prefix));
  const hold = (holder: string, { leaseMs = 30_000, signal = new AbortController().signal } = {}) =>
    holdObjects({ leases, holder, token: randomUUID(), signal, leaseMs });
  return { prefix, hold };
}

test("runs one after the other, and fails at once where it should not wait", async () => {
  const { hold } = open();
  const order: string[] = [];
  const first = Promise.withResolvers<void>();
  const one = hold("one")({ objects, onOverlap: "wait" }, async () => {
    await first.promise;
    order.push("one");
  });
  await expect.poll(() => redis.keys("*:~leased:*")).not.toEqual([]);
  await expect(hold("hasty")({ objects, onOverlap: "fail" }, async () => order.push("hasty"))).rejects.toMatchObject({
    code: "Overlap",
    retryable: false,
    message: expect.stringContaining("one is at work"),
  });
  const two = hold("two")({ objects, onOverlap: "wait" }, async () => order.push("two"));
  first.resolve();
  await Promise.all([one, two]);
  expect(order).toEqual(["one", "two"]);
});

test("makes room and comes again later where it takes long", async () => {
  const { hold } = open();
  await hold("one")({ objects, onOverlap: "wait" }, async () => {
    await expect(hold("two")({ objects, onOverlap: "wait" }, async () => {})).rejects.toMatchObject({
      code: "Overlap",
      retryable: true,
    });
  });
});

test("keeps what may still take effect to itself for a while, but not from its own next attempt", async () => {
  const { hold } = open();
  const failure = (retryable: boolean) => new ActivityError("Timeout", "no answer", { retryable });
  const fail = (retryable: boolean) =>
    hold("one")({ objects, onOverlap: "wait" }, async () => Promise.reject(failure(retryable)));
  const two = () => hold("two")({ objects, onOverlap: "fail" }, async () => {});
  await expect(fail(false)).rejects.toMatchObject({ code: "Timeout" });
  await two();
  await expect(fail(true)).rejects.toMatchObject({ code: "Timeout" });
  await expect(two()).rejects.toMatchObject({ code: "Overlap" });
  // Its next attempt ends well, or for good, while what the first one sent may still be on its way.
  await hold("one")({ objects, onOverlap: "wait" }, async () => {});
  await expect(two()).rejects.toMatchObject({ code: "Overlap" });
  await expect(fail(false)).rejects.toMatchObject({ code: "Timeout" });
  await expect(two()).rejects.toMatchObject({ code: "Overlap" });
});

test("keeps its objects where the run itself says that something is on its way", async () => {
  const { hold } = open();
  await hold("one")({ objects, onOverlap: "wait" }, async (_, { keep }) => keep());
  await expect(hold("two")({ objects, onOverlap: "fail" }, async () => {})).rejects.toMatchObject({ code: "Overlap" });
});

test("renews what it holds, and forbids deletes once somebody else has it", async () => {
  const { prefix, hold } = open();
  await hold("one", { leaseMs: 2000 })({ objects, onOverlap: "wait" }, async (deletes) => {
    const started = performance.now();
    await expect.poll(() => performance.now() - started, { interval: 50, timeout: 10_000 }).toBeGreaterThan(2500);
    expect(deletes.aborted).toBe(false);
    await redis.del(await redis.keys(`${prefix}:~leased:*`));
    await once(deletes, "abort");
    expect(deletes.reason).toMatchObject({ code: "LockLost" });
  });
});

test("confirms that nobody else has its objects, where Redis may have forgotten who had them", async () => {
  const { prefix, hold } = open();
  await hold("one")({ objects, onOverlap: "wait" }, async (deletes, { confirm }) => {
    await confirm();
    await redis.del(await redis.keys(`${prefix}:~leased:*`));
    await hold("two")({ objects, onOverlap: "fail" }, async () => {
      await expect(confirm()).rejects.toMatchObject({ code: "LockLost", retryable: true });
      expect(deletes.aborted).toBe(true);
    });
  });
});
