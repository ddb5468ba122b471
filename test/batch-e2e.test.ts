import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { BatchHandle, BatchSpecInput, BatchState } from "../producer/index.ts";
import { all } from "./batch-harness.ts";
import { type Stack, startStack } from "./stack.ts";

/** One chunk at once, so that a second worker has something to take. */
const WORKER = { BUCKETLINE_ACTIVITIES: "batches", BUCKETLINE_CONCURRENCY: "batches=1" };
/** How soon a pause must be seen; the rest is for a busy machine that runs the tests. */
const SEEN_WITHIN_MS = 2000;

let stack: Stack;
beforeAll(async () => {
  const allow = [{ activities: ["list-objects", "move-object"], buckets: ["*"], prefixes: ["open/"] }];
  stack = await startStack({ env: WORKER, profiles: { limited: { allow } } });
  await stack.startWorker();
});
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
});

let made = 0;
/** Two buckets, objects in the first, and copies that take their time. */
function buckets({ count, delayMs }: { count: number; delayMs: number }): {
  from: string;
  to: string;
  move: BatchSpecInput;
} {
  const [from, to] = [`from-${++made}`, `to-${made}`];
  for (const bucket of [from, to]) stack.sandbox.createBucket(bucket);
  stack.sandbox.generate(from, { count });
  if (delayMs > 0) stack.sandbox.fault({ operation: "CopyObject", bucket: to, kind: "latency", delayMs });
  return { from, to, move: { operation: "move", source: { bucket: from }, destination: { bucket: to } } };
}

const until = (check: () => unknown, timeout = 20_000) => vi.waitFor(check, { timeout, interval: 10 });
const untilCopied = (to: string, count: number) =>
  until(() => expect(stack.sandbox.count(to)).toBeGreaterThanOrEqual(count));
const untilState = (batch: BatchHandle, state: BatchState) =>
  until(async () => expect((await batch.status()).state).toBe(state));

describe("a batch that runs in worker processes", () => {
  test("is paused within two seconds and goes on where it was", async () => {
    const { from, to, move } = buckets({ count: 3000, delayMs: 100 });
    const batch = await stack.producer.batches.start(move);
    await untilCopied(to, 200);
    const askedAt = Date.now();
    await batch.pause();
    await untilState(batch, "paused");
    const last = stack.sandbox.log.findLast(({ operation, bucket }) => operation === "CopyObject" && bucket === to);
    expect(last?.at).toBeLessThan(askedAt + SEEN_WITHIN_MS);
    const copied = stack.sandbox.count(to);
    expect(copied).toBeLessThan(3000);
    expect(await batch.status()).toMatchObject({ state: "paused", unattempted: 0 });
    expect(stack.sandbox.count(to)).toBe(copied);
    await batch.resume();
    expect(await batch.done()).toMatchObject({ state: "completed", listed: 3000, succeeded: 3000 });
    expect([stack.sandbox.count(from), stack.sandbox.count(to)]).toEqual([0, 3000]);
  }, 60_000);

  test("deletes nothing after a cancel is seen, and says of every object what became of it", async () => {
    const { from, to, move } = buckets({ count: 3000, delayMs: 100 });
    const batch = await stack.producer.batches.start(move);
    await until(() => expect(stack.sandbox.count(from)).toBeLessThan(3000));
    const askedAt = Date.now();
    await batch.cancel();
    const ended = await batch.done();
    const last = stack.sandbox.log.findLast(
      ({ operation, bucket }) => operation === "DeleteObjects" && bucket === from,
    );
    expect(last?.at).toBeLessThan(askedAt + SEEN_WITHIN_MS);
    expect(ended.state).toBe("cancelled");
    expect(ended.succeeded).toBe(3000 - stack.sandbox.count(from));
    expect(ended.listed).toBe(ended.succeeded + ended.failed + ended.skipped + ended.unattempted);
    const rows = await all(batch.report());
    expect(rows).toHaveLength(ended.listed);
    const untrue = rows.filter(({ key, status, destinationKey = "" }) => {
      const isAt = (bucket: string, name: string) => stack.sandbox.object(bucket, name) !== undefined;
      return status === "succeeded" ? isAt(from, key) || !isAt(to, destinationKey) : !isAt(from, key);
    });
    expect(untrue).toEqual([]);
  }, 60_000);

  test("gets help at once from a worker that is added in its middle", async () => {
    const { to, move } = buckets({ count: 6000, delayMs: 150 });
    const late = { accessKeyId: "late", secretAccessKey: "late-secret" };
    stack.sandbox.addCredentials(late);
    const batch = await stack.producer.batches.start(move);
    await untilCopied(to, 200);
    const worker = await stack.startWorker({ S3_KEY: late.accessKeyId, S3_SECRET: late.secretAccessKey });
    const addedAt = Date.now();
    const byLate = () =>
      stack.sandbox.log.find(({ operation, accessKeyId }) => operation === "CopyObject" && accessKeyId === "late");
    await until(() => expect(byLate()).toBeDefined());
    expect(byLate()?.at).toBeLessThan(addedAt + SEEN_WITHIN_MS);
    expect(await batch.done()).toMatchObject({ state: "completed", succeeded: 6000 });
    await worker.stop();
  }, 60_000);

  test("does not keep a small one waiting, however large it is", async () => {
    const huge = buckets({ count: 100_000, delayMs: 100 });
    const small = buckets({ count: 10, delayMs: 0 });
    const first = await stack.producer.batches.start(huge.move);
    await untilCopied(huge.to, 100);
    const second = await stack.producer.batches.start(small.move);
    expect(await second.done()).toMatchObject({ state: "completed", succeeded: 10 });
    expect(await first.status()).toMatchObject({ state: "running" });
    expect(stack.sandbox.count(huge.to)).toBeLessThan(20_000);
    await first.cancel();
    await first.done();
  }, 60_000);
});

describe("bad input ends with an error or a failed row, never with a hang", () => {
  test("an overlap is refused before anything is kept", async () => {
    const { from } = buckets({ count: 1, delayMs: 0 });
    const inside: BatchSpecInput = {
      operation: "move",
      source: { bucket: from },
      destination: { bucket: from, prefix: "in/" },
    };
    await expect(stack.producer.batches.start(inside)).rejects.toMatchObject({ code: "BatchOverlap" });
    expect((await stack.producer.batches.list()).batches.some(({ spec }) => spec.destination?.prefix === "in/")).toBe(
      false,
    );
  });

  test("a manifest line that cannot be read is a failed row beside the others", async () => {
    const { from, to } = buckets({ count: 0, delayMs: 0 });
    stack.sandbox.put(from, "a b", "x");
    const lines = `${from},a%20b\nno comma here\n${from},%E0%A4%A\n${from},missing\n`;
    const manifest = await stack.producer.documents.write(lines, { name: "manifest.csv", contentType: "text/csv" });
    const batch = await stack.producer.batches.start({
      operation: "move",
      source: { manifest, format: "csv" },
      destination: { bucket: to },
    });
    expect(await batch.done()).toMatchObject({ state: "completed", listed: 4, succeeded: 1, failed: 3 });
    const rows = await all(batch.report({ only: "failed" }));
    expect(rows.map(({ code }) => code)).toEqual(["InvalidManifestLine", "InvalidManifestLine", "NoSuchKey"]);
    expect(stack.sandbox.text(to, "a b")).toBe("x");
  });

  test.each([
    ["a missing source", (name: string) => ({ source: { bucket: `${name}-none` } }), "NoSuchBucket"],
    ["a missing destination", (name: string) => ({ destination: { bucket: `${name}-none` } }), "NoSuchBucket"],
    ["a prefix that the policy denies", () => ({ credentials: "limited" }), "PolicyDenied"],
    ["a profile that nobody has", () => ({ credentials: "nobody" }), "UnknownProfile"],
  ])("%s fails the batch, and nothing is touched", async (_, change, code) => {
    const { from, to, move } = buckets({ count: 3, delayMs: 0 });
    const batch = await stack.producer.batches.start({ ...move, ...change(from) });
    await expect(batch.done()).rejects.toMatchObject({ code });
    expect(await batch.status()).toMatchObject({ state: "failed", listed: 0, error: { code } });
    expect([stack.sandbox.count(from), stack.sandbox.count(to)]).toEqual([3, 0]);
  });

  test("a prefix without objects and a filter without a match end at once and say so", async () => {
    const { from, to, move } = buckets({ count: 3, delayMs: 0 });
    const empty = await stack.producer.batches.start({ ...move, source: { bucket: from, prefix: "none/" } });
    expect(await empty.done()).toMatchObject({ state: "completed", listed: 0, note: expect.stringContaining("none/") });
    const unmatched = await stack.producer.batches.start({ ...move, filter: { include: ["*.txt"] } });
    expect(await unmatched.done()).toMatchObject({ state: "completed", listed: 0, filtered: 3 });
    expect(await all(unmatched.report())).toEqual([]);
    expect([stack.sandbox.count(from), stack.sandbox.count(to)]).toEqual([3, 0]);
  });
});

test("a batch whose every worker died goes on when one comes back", async () => {
  await using own = await startStack({ env: WORKER });
  const { sandbox, producer } = own;
  for (const bucket of ["from", "to"]) sandbox.createBucket(bucket);
  sandbox.generate("from", { count: 3000 });
  sandbox.fault({ operation: "CopyObject", kind: "latency", delayMs: 50 });
  const workers = await Promise.all([own.startWorker(), own.startWorker()]);
  const batch = await producer.batches.start({
    operation: "move",
    source: { bucket: "from" },
    destination: { bucket: "to" },
  });
  await until(() => expect(sandbox.count("to")).toBeGreaterThan(200));
  await Promise.all(workers.map((worker) => worker.kill()));
  expect(sandbox.count("from")).toBeGreaterThan(0);
  expect(await batch.status()).toMatchObject({ state: "running" });
  await own.startWorker();
  expect(await batch.done()).toMatchObject({ state: "completed", listed: 3000, succeeded: 3000 });
  expect([sandbox.count("from"), sandbox.count("to")]).toEqual([0, 3000]);
}, 90_000);
