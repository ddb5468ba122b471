import { Queue } from "bullmq";
import { expect, onTestFinished, test } from "vitest";
import { keysLike } from "../../test/fixtures.ts";
import { redisKeys } from "../../redis/keys.ts";
import { claimAll, makeClaim, unclaimAll } from "./idempotency.ts";
import { inlineList, setUp, startWorker, warnings } from "../protocol-worker.fixture.ts";

const input = { bucket: "in-1", prefix: "a/" };

function queueOf({ client, prefix }: Pick<ReturnType<typeof setUp>, "client" | "prefix">): Queue {
  const queue = new Queue("list-objects", { connection: client, prefix });
  onTestFinished(() => queue.close());
  return queue;
}

test("the same key and input are the same job, whatever the order of its fields", async () => {
  const bench = setUp();
  const first = await bench.producer.enqueue("list-objects", input, { idempotencyKey: "nightly" });
  const again = await bench.producer.enqueue(
    "list-objects",
    { prefix: "a/", bucket: "in-1" },
    { idempotencyKey: "nightly" },
  );
  expect(again.id).toBe(first.id);
  expect(first.id).toMatch(/^k-[0-9a-f]{32}$/);
  expect(await queueOf(bench).getWaitingCount()).toBe(1);
});

test("the same key with another input is a conflict, and changes nothing", async () => {
  const bench = setUp();
  await bench.producer.enqueue("list-objects", input, { idempotencyKey: "nightly" });
  await expect(
    bench.producer.enqueue("list-objects", { bucket: "in-2" }, { idempotencyKey: "nightly" }),
  ).rejects.toMatchObject({ code: "IdempotencyConflict", retryable: false, field: "idempotencyKey" });
  expect(await queueOf(bench).getWaitingCount()).toBe(1);
});

test("a job that outlives the memory of its key, as after a long delay, is not taken for another input's", async () => {
  const bench = setUp();
  const delayed = { idempotencyKey: "nightly", delay: 30 * 24 * 3_600_000 };
  const first = await bench.producer.enqueue("list-objects", input, delayed);
  const queue = queueOf(bench);
  // Seven days later.
  const claim = redisKeys(bench.prefix).idempotency("list-objects", first.id);
  expect(await bench.client.del(claim)).toBe(1);
  await expect(
    bench.producer.enqueue("list-objects", { bucket: "in-2" }, { idempotencyKey: "nightly" }),
  ).rejects.toMatchObject({ code: "IdempotencyConflict" });
  expect((await bench.producer.enqueue("list-objects", input, delayed)).id).toBe(first.id);
  expect(await queue.getDelayedCount()).toBe(1);
});

test("keys of different activities are unrelated", async () => {
  const { producer } = setUp();
  const one = await producer.enqueue("head-bucket", { bucket: "in-1" }, { idempotencyKey: "nightly" });
  const other = await producer.enqueue("list-objects", { bucket: "in-1" }, { idempotencyKey: "nightly" });
  expect(one.id).not.toBe(other.id);
});

test("a job that was cleaned up is not run again under its key", async () => {
  const bench = setUp();
  let runs = 0;
  await startWorker(bench, "list-objects", async () => {
    runs += 1;
    return inlineList();
  });
  const first = await bench.producer.enqueue("list-objects", input, { idempotencyKey: "nightly" });
  await first.result({ timeout: 10_000 });
  const queue = queueOf(bench);
  expect(await queue.clean(0, 10, "completed")).toEqual([first.id]);

  const again = await bench.producer.enqueue("list-objects", input, { idempotencyKey: "nightly" });
  expect(again.id).toBe(first.id);
  expect(await queue.getWaitingCount()).toBe(0);
  expect(await again.state()).toBe("expired");
  await expect(again.result({ timeout: 10_000 })).rejects.toMatchObject({ code: "JobExpired" });
  expect(runs).toBe(1);
});

test("fifty enqueues at once under one key make one job", async () => {
  const bench = setUp();
  const warned = warnings();
  let runs = 0;
  await startWorker(bench, "list-objects", async () => {
    runs += 1;
    return inlineList("a");
  });
  const jobs = await Promise.all(
    Array.from({ length: 50 }, () => bench.producer.enqueue("list-objects", input, { idempotencyKey: "nightly" })),
  );
  const results = await Promise.all(jobs.map((job) => job.result({ timeout: 10_000 })));
  expect(new Set(jobs.map(({ id }) => id)).size).toBe(1);
  expect(results).toHaveLength(50);
  expect(warned).toEqual([]);
  expect(runs).toBe(1);
});

test("a job whose producer died between claiming its key and adding it is added by the next", async () => {
  const bench = setUp();
  const claim = makeClaim("list-objects", "nightly", input);
  expect(await claimAll(bench.client, bench.keys, { claims: [claim], by: "test" })).toEqual(["adding"]);
  const queue = queueOf(bench);
  expect(await queue.getWaitingCount()).toBe(0);

  const job = await bench.producer.enqueue("list-objects", input, { idempotencyKey: "nightly" });
  expect(job.id).toBe(claim.jobId);
  expect(await queue.getWaitingCount()).toBe(1);
  expect(await claimAll(bench.client, bench.keys, { claims: [claim], by: "test" })).toEqual(["added"]);
});

test("a key is remembered for seven days, and the record holds no input", async () => {
  const { producer, client, keys } = setUp();
  const { id } = await producer.enqueue("list-objects", input, { idempotencyKey: "nightly" });
  const key = keys.idempotency("list-objects", id);
  expect(await client.hgetall(key)).toEqual({
    input: makeClaim("list-objects", "nightly", input).inputHash,
    state: "added",
    createdAt: expect.stringMatching(/^\d{13}$/) as string,
    by: expect.any(String) as string,
  });
  expect(await client.ttl(key)).toBeGreaterThan(7 * 24 * 3600 - 60);
});

test.each([2, 1500])("a conflict at the end of %d inputs claims no key and adds nothing", async (count) => {
  const bench = setUp();
  const taken = await bench.producer.enqueue("list-objects", input, { idempotencyKey: `${count - 1}` });
  const inputs = Array.from({ length: count }, (_, index) => ({ bucket: `in-${index}` }));
  await expect(
    bench.producer.enqueueMany("list-objects", inputs, { idempotencyKey: (_input, index) => `${index}` }),
  ).rejects.toMatchObject({ code: "IdempotencyConflict" });
  expect(await keysLike(bench.client, `${bench.prefix}:~idempotency:*`)).toEqual([
    bench.keys.idempotency("list-objects", taken.id),
  ]);
  expect(await queueOf(bench).getWaitingCount()).toBe(1);
});

test("a call that takes its claims back leaves those that another call relies on", async () => {
  const { client, keys } = setUp();
  const claim = makeClaim("list-objects", "shared", input);
  const left = async () => await client.exists(keys.idempotency("list-objects", claim.jobId));
  for (const by of ["one", "two"]) await claimAll(client, keys, { claims: [claim], by });
  for (const by of ["two", "one"]) {
    await unclaimAll(client, keys, { claims: [claim], by });
    expect(await left()).toBe(1);
  }
  const alone = makeClaim("list-objects", "alone", input);
  // Asked again by the same call, as after a lost answer.
  for (const by of ["one", "one"]) await claimAll(client, keys, { claims: [alone], by });
  await unclaimAll(client, keys, { claims: [alone], by: "one" });
  expect(await client.exists(keys.idempotency("list-objects", alone.jobId))).toBe(0);
});
