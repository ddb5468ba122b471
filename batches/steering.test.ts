import { setTimeout as sleep } from "node:timers/promises";
import { parseBatchSpec } from "./spec/request.ts";
import { newBatch } from "./state/create.ts";
import { createBatchStore } from "./state/store.ts";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { all, type BatchHarness, startBatchHarness } from "../test/batch-harness.ts";
import type { BatchStatus } from "./state/status.ts";

let harness: BatchHarness;
beforeAll(async () => {
  harness = await startBatchHarness({ sandbox: { latencyMs: 0 } });
});
afterAll(async () => {
  await harness.close();
});

let made = 0;
function buckets(count: number): [from: string, to: string] {
  made++;
  const pair: [string, string] = [`from-${made}`, `to-${made}`];
  for (const name of pair) harness.sandbox.createBucket(name);
  for (let i = 0; i < count; i++) harness.sandbox.put(pair[0], `k${String(i).padStart(5, "0")}`, `${i}`);
  return pair;
}

const sum = ({ succeeded, failed, skipped, unattempted }: BatchStatus): number =>
  succeeded + failed + skipped + unattempted;

/** Waits until something holds; no test waits for a time. */
const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 10_000, interval: 20 });

/** Copies of a bucket wait until they are let go. */
function holdCopies(to: string): { readonly held: () => number; release(): void } {
  const gate = Promise.withResolvers<void>();
  let held = 0;
  const remove = harness.sandbox.before("CopyObject", async ({ bucket }) => {
    if (bucket !== to) return;
    held++;
    await gate.promise;
  });
  return {
    held: () => held,
    release: () => {
      remove();
      gate.resolve();
    },
  };
}

/** Every copy of a bucket takes so long. */
function slowCopies(to: string, delayMs: number) {
  return harness.sandbox.fault({ operation: "CopyObject", bucket: to, kind: "latency", delayMs });
}

describe("a chunk that yields to another batch", { timeout: 40_000 }, () => {
  /** A chunk of a move in a worker with one place, and another batch that waits for it. */
  async function contested(objects: number, delayMs: number) {
    const own = await startBatchHarness({ workers: 0 });
    own.addWorker({ concurrency: 1 });
    for (const name of ["from", "to", "others", "others-to"]) own.sandbox.createBucket(name);
    for (let i = 0; i < objects; i++) own.sandbox.put("from", `k${String(i).padStart(5, "0")}`, `${i}`);
    own.sandbox.put("others", "k", "v");
    own.sandbox.fault({ operation: "CopyObject", bucket: "to", kind: "latency", delayMs });
    const move = { operation: "move", source: { bucket: "from" }, destination: { bucket: "to" } } as const;
    const batch = await own.batches.start(move);
    await until(async () => expect((await batch.status()).listed).toBe(objects));
    await own.batches.start({ operation: "copy", source: { bucket: "others" }, destination: { bucket: "others-to" } });
    return { own, batch };
  }

  test.concurrent("rests between its deletes where the store says SlowDown", async () => {
    const { own, batch } = await contested(700, 1200);
    own.sandbox.fault({ operation: "DeleteObjects", kind: "slow-down", times: 5 });
    const deletes = () => own.sandbox.log.filter(({ operation }) => operation === "DeleteObjects");
    await vi.waitFor(() => expect(deletes().length).toBeGreaterThan(5), { timeout: 20_000, interval: 20 });
    const [first, sixth] = [deletes()[0]?.at ?? 0, deletes()[5]?.at ?? 0];
    expect(sixth - first).toBeGreaterThan(1000);
    own.sandbox.clearFaults();
    expect(await batch.done()).toMatchObject({ state: "completed", succeeded: 700 });
    await own.close();
  });

  test.concurrent("still ends what is under way within 2 s of a cancel", async () => {
    const { own, batch } = await contested(3, 60_000);
    // After five seconds it is asked to yield, and waits for its copies.
    await new Promise((resolve) => setTimeout(resolve, 6000));
    const asked = Date.now();
    await batch.cancel();
    expect(await batch.done()).toMatchObject({ state: "cancelled", failed: 3 });
    expect(Date.now() - asked).toBeLessThan(4000);
    await own.close();
  });
});

describe("pause", () => {
  test("starts nothing more within 2 s, frees the worker, and resume goes on where it was", async () => {
    const [from, to] = buckets(1500);
    const slow = slowCopies(to, 60);
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
    });
    await until(() => expect(harness.sandbox.count(to)).toBeGreaterThan(50));
    const asked = Date.now();
    await batch.pause();
    await until(async () => expect((await batch.status()).state).toBe("paused"));
    expect(Date.now() - asked).toBeLessThan(2000);
    const copies = harness.sandbox.count(to);
    slow.remove();
    expect(await harness.queue.getActiveCount()).toBe(0);
    expect(await harness.queue.getJobCounts("waiting", "delayed", "prioritized")).toEqual({
      waiting: 0,
      delayed: 0,
      prioritized: 0,
    });
    expect(harness.sandbox.count(to)).toBe(copies);
    expect(copies).toBeLessThan(1500);
    await batch.resume();
    const status = await batch.done();
    expect(status).toMatchObject({ state: "completed", listed: 1500, succeeded: 1500 });
    expect(harness.sandbox.count(from)).toBe(0);
    expect(harness.sandbox.count(to)).toBe(1500);
  });

  test("cuts off what does not end by itself, and nothing is lost by it", async () => {
    const [from, to] = buckets(5);
    const held = holdCopies(to);
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
    });
    await until(() => expect(held.held()).toBe(5));
    await batch.pause();
    await until(async () => expect((await batch.status()).state).toBe("paused"));
    held.release();
    await batch.resume();
    expect(await batch.done()).toMatchObject({ state: "completed", succeeded: 5 });
    expect(harness.sandbox.count(from)).toBe(0);
  });
});

describe("cancel", () => {
  test("deletes nothing after it is seen, and says of every object what is true", async () => {
    const [from, to] = buckets(1200);
    slowCopies(to, 40);
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
    });
    await until(() => expect(harness.sandbox.count(to)).toBeGreaterThan(100));
    expect(["cancelling", "cancelled"]).toContain(await batch.cancel());
    // A reverse move may start by now: nothing is deleted any more.
    const left = harness.sandbox.count(from);
    const status = await batch.done();
    harness.sandbox.clearFaults();
    expect(harness.sandbox.count(from)).toBe(left);
    expect(status.state).toBe("cancelled");
    expect(sum(status)).toBe(status.listed);
    expect(status.unattempted).toBeGreaterThan(0);
    const rows = await all(batch.report());
    expect(rows).toHaveLength(status.listed);
    const untrue = rows.filter(({ key, status: outcome }) => {
      const [here, there] = [harness.sandbox.text(from, key), harness.sandbox.text(to, key)];
      const content = String(Number(key.slice(1)));
      if (outcome === "succeeded") return here !== undefined || there !== content;
      return here !== content || (outcome === "unattempted" && there !== undefined);
    });
    expect(untrue).toEqual([]);
    expect(await batch.cancel()).toBe("cancelled");
    expect(await batch.resume()).toBe("cancelled");
  });

  test("of a paused batch ends it without any more work", async () => {
    const [from, to] = buckets(30);
    const held = holdCopies(to);
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
    });
    await until(() => expect(held.held()).toBe(30));
    await batch.pause();
    await until(async () => expect((await batch.status()).state).toBe("paused"));
    held.release();
    const calls = harness.sandbox.calls("DeleteObjects");
    await batch.cancel();
    expect(await batch.done()).toMatchObject({ state: "cancelled", listed: 30, succeeded: 0 });
    expect(harness.sandbox.calls("DeleteObjects")).toBe(calls);
    expect(harness.sandbox.count(from)).toBe(30);
    expect(await all(batch.report())).toHaveLength(30);
  });

  test("before any worker has looked ends it at once", async () => {
    const own = await startBatchHarness({ workers: 0 });
    const batch = await own.batches.start({ operation: "delete", source: { bucket: "bkt" } });
    expect(await batch.cancel()).toBe("cancelled");
    expect(await batch.done()).toMatchObject({ state: "cancelled", listed: 0 });
    await own.close();
  });
});

describe("cancel of a batch that was paused in the middle of a large object", () => {
  test("removes the upload that was to go on, and says that it was cut off", async () => {
    const own = await startBatchHarness({ connection: { multipartThreshold: 5 * 1024 ** 2 } });
    for (const name of ["from", "to"]) own.sandbox.createBucket(name);
    own.sandbox.put("from", "large", Buffer.alloc(6 * 1024 ** 2, "x"));
    own.sandbox.fault({ operation: "UploadPartCopy", kind: "stall" });
    const move = { operation: "move", source: { bucket: "from" }, destination: { bucket: "to" } } as const;
    const batch = await own.batches.start(move);
    await until(() => expect(own.sandbox.uploads()).toHaveLength(1));
    await batch.pause();
    await until(async () => expect((await batch.status()).state).toBe("paused"));
    expect(own.sandbox.uploads(), "to go on with after the pause").toHaveLength(1);
    await batch.cancel();
    expect(await batch.done()).toMatchObject({ state: "cancelled", failed: 1 });
    expect(own.sandbox.uploads()).toEqual([]);
    expect((await all(batch.report())).map(({ message }) => message)).toEqual([
      "Cancelled: the move was cut off when the batch was cancelled; the source is kept, a copy may be there",
    ]);
    await own.close();
  });
});

describe("a failure threshold", () => {
  test("ends the batch, in the middle of a chunk too, and the rest is unattempted", async () => {
    const [from] = buckets(1300);
    const to = `${from}-of-others`;
    harness.sandbox.createBucket(to, { account: "999999999999" });
    slowCopies(to, 100);
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
      failureThreshold: { ratio: 0.1, minimum: 100 },
    });
    await expect(batch.done()).rejects.toMatchObject({ code: "FailureThresholdExceeded" });
    harness.sandbox.clearFaults();
    const status = await batch.status();
    expect(status.state).toBe("failed");
    expect(status.failed).toBeGreaterThan(100);
    expect(status.unattempted).toBeGreaterThan(0);
    expect(sum(status)).toBe(status.listed);
    expect(await all(batch.report())).toHaveLength(status.listed);
    expect((await batch.recentFailures())[0]).toMatchObject({ code: "AccessDenied", status: "failed" });
    expect(await batch.recentFailures()).toHaveLength(100);
  });
});

describe("caps", () => {
  test("end the batch, completed, at so many objects", async () => {
    const [from, to] = buckets(1500);
    const batch = await harness.batches.start({
      operation: "copy",
      source: { bucket: from },
      destination: { bucket: to },
      maxObjects: 1203,
    });
    expect(await batch.done()).toMatchObject({
      state: "completed",
      listed: 1203,
      succeeded: 1203,
      capped: "maxObjects",
    });
    expect(harness.sandbox.count(to)).toBe(1203);
  });

  test("end it before the object that would exceed so many bytes", async () => {
    const [from, to] = buckets(12);
    const batch = await harness.batches.start({
      operation: "copy",
      source: { bucket: from },
      destination: { bucket: to },
      maxBytes: 11,
    });
    expect(await batch.done()).toMatchObject({ listed: 10, bytes: 10, capped: "maxBytes" });
  });
});

describe("a rate", () => {
  test("holds over all workers", async () => {
    const other = harness.addWorker();
    const [from, to] = buckets(120);
    const started = Date.now();
    const batch = await harness.batches.start({
      operation: "copy",
      source: { bucket: from },
      destination: { bucket: to },
      maxObjectsPerSecond: 60,
    });
    expect(await batch.done()).toMatchObject({ succeeded: 120 });
    // A quarter of a second's worth may go at once.
    expect(Date.now() - started).toBeGreaterThan(1600);
    await other.close();
  });

  test("leaves room for others", async () => {
    const [from, to] = buckets(2000);
    const slow = await harness.batches.start({
      operation: "copy",
      source: { bucket: from },
      destination: { bucket: to },
      maxObjectsPerSecond: 1,
    });
    await until(async () => expect((await slow.status()).succeeded).toBeGreaterThan(0));
    const [a, b] = buckets(3);
    const quick = await harness.batches.start({ operation: "copy", source: { bucket: a }, destination: { bucket: b } });
    expect(await quick.done()).toMatchObject({ succeeded: 3 });
    expect((await slow.status()).state).toBe("running");
    await slow.cancel();
    const status = await slow.done();
    expect(sum(status)).toBe(status.listed);
  });
});

describe("priority and fairness", () => {
  test("a small batch is done long before a huge one that began earlier", async () => {
    const own = await startBatchHarness({ workers: 0 });
    for (const name of ["huge", "small", "out"]) own.sandbox.createBucket(name);
    own.sandbox.generate("huge", { count: 30_000 });
    own.sandbox.put("small", "a", "A");
    own.addWorker({ concurrency: 2 });
    const huge = await own.batches.start({
      operation: "copy",
      source: { bucket: "huge" },
      destination: { bucket: "out", prefix: "h/" },
    });
    await until(async () => expect((await huge.status()).listed).toBeGreaterThan(1000));
    const small = await own.batches.start({
      operation: "copy",
      source: { bucket: "small" },
      destination: { bucket: "out", prefix: "s/" },
    });
    await small.done();
    expect((await huge.status()).state).toBe("running");
    await huge.cancel();
    await huge.done();
    await own.close();
  });

  test("setPriority puts waiting chunks in their place", async () => {
    const own = await startBatchHarness({ workers: 0 });
    own.sandbox.createBucket("bkt");
    const one = await own.batches.start({ operation: "delete", source: { bucket: "bkt" } });
    const two = await own.batches.start({ operation: "delete", source: { bucket: "bkt" } });
    await two.setPriority(5);
    expect((await own.queue.getPrioritized()).map(({ data }) => data.batch)).toEqual([two.id, one.id]);
    expect((await two.status()).priority).toBe(5);
    await expect(two.setPriority(0)).rejects.toMatchObject({ code: "InvalidInput" });
    await two.setRate(3);
    expect((await two.status()).spec.maxObjectsPerSecond).toBe(3);
    await two.setRate(undefined);
    expect((await two.status()).spec).not.toHaveProperty("maxObjectsPerSecond");
    await expect(two.setRate(0)).rejects.toMatchObject({ code: "InvalidInput" });
    await own.close();
  });

  test("setRate slows down chunks that are at work, and lets them go again", async () => {
    const [from, to] = buckets(0);
    harness.sandbox.generate(from, { count: 400 });
    harness.sandbox.fault({ kind: "latency", operation: "CopyObject", bucket: to, delayMs: 150 });
    const batch = await harness.batches.start({
      operation: "copy",
      source: { bucket: from },
      destination: { bucket: to },
    });
    await vi.waitUntil(() => harness.sandbox.count(to) > 60, { timeout: 20_000 });
    await batch.setRate(1);
    // Those under way end; then as good as nothing is begun.
    await sleep(1200);
    const before = harness.sandbox.count(to);
    await sleep(1000);
    expect(harness.sandbox.count(to) - before).toBeLessThanOrEqual(3);
    expect(before).toBeLessThan(400);
    await batch.setRate(undefined);
    expect(await batch.done()).toMatchObject({ succeeded: 400 });
  });
});

describe("a dry run", () => {
  test("counts and touches nothing; confirmed, it does exactly what was planned", async () => {
    const [from, to] = buckets(6);
    harness.sandbox.put(from, "big", "", { etag: "0123456789abcdef0123456789abcdef" });
    harness.sandbox.put(from, "cold", "C", { storageClass: "GLACIER" });
    harness.sandbox.put(to, "k00001", "theirs");
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
      dryRun: true,
    });
    const planned = await batch.done();
    expect(planned).toMatchObject({
      state: "planned",
      listed: 8,
      succeeded: 0,
      plan: { objects: 8, bytes: 7, collisions: 1, archived: 1, over5GiB: 0, refused: 0 },
    });
    expect(harness.sandbox.keys(to)).toEqual(["k00001"]);
    expect(harness.sandbox.count(from)).toBe(8);
    harness.sandbox.put(from, "k00002", "changed after the plan");
    harness.sandbox.put(from, "new", "came after the plan");
    await batch.confirm();
    expect(await batch.done()).toMatchObject({
      state: "completed",
      listed: 8,
      total: 8,
      succeeded: 6,
      failed: 2,
      errors: { SourceChanged: 1, Archived: 1 },
    });
    expect(harness.sandbox.keys(from)).toEqual(["cold", "k00002", "new"]);
    await expect(batch.confirm()).resolves.toBeUndefined();
  });

  test("of many chunks is confirmed whole", async () => {
    const [from, to] = buckets(2300);
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
      dryRun: true,
      filter: { exclude: ["k01*"] },
    });
    const planned = await batch.done();
    expect(planned).toMatchObject({ listed: 1300, filtered: 1000, plan: { objects: 1300 } });
    await batch.confirm();
    expect(await batch.done()).toMatchObject({ state: "completed", listed: 1300, succeeded: 1300 });
    expect(harness.sandbox.count(from)).toBe(1000);
    expect(await all(batch.report())).toHaveLength(1300);
  });

  test("can be cancelled, but not confirmed after that, nor when it is no plan", async () => {
    const [from, to] = buckets(2);
    const batch = await harness.batches.start({
      operation: "copy",
      source: { bucket: from },
      destination: { bucket: to },
      dryRun: true,
    });
    await batch.done();
    await batch.cancel();
    expect((await batch.done()).state).toBe("cancelled");
    await expect(batch.confirm()).rejects.toMatchObject({ code: "NotPlanned" });
    const plain = await harness.batches.start({
      operation: "copy",
      source: { bucket: from },
      destination: { bucket: to },
    });
    await plain.done();
    await expect(plain.confirm()).rejects.toMatchObject({ code: "NotPlanned" });
  });

  test("too old is refused", async () => {
    const [from, to] = buckets(2);
    const batch = await harness.batches.start({
      operation: "copy",
      source: { bucket: from },
      destination: { bucket: to },
      dryRun: true,
      retention: 60,
    });
    await batch.done();
    await harness.redis.hset(`${harness.prefix}:~batch:${batch.id}`, "plannedAt", Date.now() - 61_000);
    await expect(batch.confirm()).rejects.toMatchObject({ code: "PlanExpired" });
  });
});

describe("retryFailed", () => {
  test("is a batch over the failed rows alone, to the same destinations", async () => {
    const [from, to] = buckets(4);
    const fault = harness.sandbox.fault({
      operation: "CopyObject",
      key: /k0000[12]$/,
      bucket: to,
      kind: "status",
      status: 403,
      code: "AccessDenied",
    });
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to, prefix: "x/" },
    });
    expect(await batch.done()).toMatchObject({ succeeded: 2, failed: 2 });
    fault.remove();
    const retry = await batch.retryFailed();
    expect(await retry.done()).toMatchObject({ state: "completed", listed: 2, succeeded: 2, retryOf: batch.id });
    expect(harness.sandbox.keys(to)).toEqual(["x/k00000", "x/k00001", "x/k00002", "x/k00003"]);
    await expect(retry.retryFailed()).rejects.toMatchObject({ code: "NothingToRetry" });
  });

  test("leaves out what would overwrite a source that is still to be moved", async () => {
    const [from] = buckets(0);
    harness.sandbox.put(from, "t/x", "precious", { storageClass: "GLACIER" });
    harness.sandbox.put(from, "t/t/x", "other");
    const spec = { source: { bucket: from, prefix: "t/" }, destination: { bucket: from, prefix: "" } } as const;
    const batch = await harness.batches.start({ operation: "move", ...spec });
    expect(await batch.done()).toMatchObject({ failed: 2, errors: { Archived: 1, BatchOverlap: 1 } });
    const retry = await batch.retryFailed();
    expect(await retry.done()).toMatchObject({ listed: 1, errors: { Archived: 1 } });
    expect([harness.sandbox.text(from, "t/x"), harness.sandbox.text(from, "t/t/x")]).toEqual(["precious", "other"]);
  });

  test("leaves out what would overwrite an object that was moved to the same destination", async () => {
    const [from, to] = buckets(0);
    harness.sandbox.put(from, "a", "A");
    harness.sandbox.put(from, "b", "B");
    const lines = ["a", "b"].map((key) => JSON.stringify({ bucket: from, key, destinationKey: "same" }));
    const manifest = await harness.documents.write(lines.join("\n"), { name: "m.ndjson", deleteAfterDownload: false });
    const source = { manifest, format: "ndjson" } as const;
    const batch = await harness.batches.start({ operation: "move", source, destination: { bucket: to } });
    expect(await batch.done()).toMatchObject({ succeeded: 1, errors: { DestinationTaken: 1 } });
    await expect(batch.retryFailed()).rejects.toMatchObject({ code: "NothingToRetry" });
    expect([harness.sandbox.text(to, "same"), harness.sandbox.text(from, "b")]).toEqual(["A", "B"]);
  });
});

describe("confirm of a plan without objects", () => {
  test("completes, and its record still expires", async () => {
    const [from, to] = buckets(0);
    const batch = await harness.batches.start({
      operation: "copy",
      source: { bucket: from, prefix: "none/" },
      destination: { bucket: to },
      dryRun: true,
    });
    expect(await batch.done()).toMatchObject({ state: "planned", listed: 0 });
    await batch.confirm();
    expect(await batch.done()).toMatchObject({ state: "completed", listed: 0, total: 0 });
    expect(await harness.redis.ttl(`${harness.prefix}:~batch:${batch.id}`)).toBeGreaterThan(0);
  });
});

describe("a cap on bytes", () => {
  test("is refused where nobody knows the sizes", async () => {
    const copy = { operation: "copy", destination: { bucket: "to-bucket" }, maxBytes: 1 } as const;
    const items = [{ bucket: "from-bucket", key: "a" }];
    await expect(harness.batches.start({ ...copy, source: { items } })).rejects.toMatchObject({
      code: "InvalidInput",
      field: "maxBytes",
    });
  });
});

describe("how many there are", () => {
  test("is what was listed once a capped or filtered batch has completed", async () => {
    const [from, to] = buckets(0);
    for (const key of ["a", "b", "c"]) harness.sandbox.put(from, key, key);
    const items = ["a", "b", "c"].map((key) => ({ bucket: from, key }));
    const copy = { operation: "copy", source: { items }, destination: { bucket: to } } as const;
    const filtered = await harness.batches.start({ ...copy, filter: { include: ["a"] } });
    expect(await filtered.done()).toMatchObject({ listed: 1, total: 1 });
    const capped = await harness.batches.start({ ...copy, maxObjects: 2 });
    expect(await capped.done()).toMatchObject({ listed: 2, total: 2, capped: "maxObjects" });
  });
});

describe("the report", () => {
  test("of failures holds nothing else, and reads as CSV of S3 Batch Operations", async () => {
    const [from, to] = buckets(2);
    harness.sandbox.put(from, 'odd "key", ü/x', "x");
    harness.sandbox.fault({
      operation: "CopyObject",
      key: /odd/,
      kind: "status",
      status: 403,
      code: "AccessDenied",
      message: 'say "no"',
    });
    const batch = await harness.batches.start({
      operation: "copy",
      source: { bucket: from },
      destination: { bucket: to },
      report: "failures",
    });
    await batch.done();
    harness.sandbox.clearFaults();
    const lines = await all(batch.reportCsv());
    expect(lines[0]).toBe("Bucket,Key,VersionId,TaskStatus,ErrorCode,HTTPStatusCode,ResultMessage\n");
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(
      new RegExp(
        `^"${from}","odd%20%22key%22%2C%20%C3%BC/x","","failed","AccessDenied","403","AccessDenied: .*say ""no"".*"\n$`,
      ),
    );
    expect(await all(batch.report({ only: "succeeded" }))).toEqual([]);
  });

  test("that lost a document says so", async () => {
    const [from, to] = buckets(2);
    const batch = await harness.batches.start({
      operation: "copy",
      source: { bucket: from },
      destination: { bucket: to },
    });
    await batch.done();
    await harness.documents.delete(`batch-${batch.id}-0-0-1`);
    await expect(all(batch.report())).rejects.toMatchObject({ code: "ReportIncomplete" });
  });
});

describe("progress", () => {
  test("counts while chunks are at work, and ends with the batch", async () => {
    const [from, to] = buckets(400);
    slowCopies(to, 300);
    const batch = await harness.batches.start({
      operation: "copy",
      source: { bucket: from },
      destination: { bucket: to },
    });
    const looks = await all(batch.progress({ interval: 100 }));
    harness.sandbox.clearFaults();
    expect(looks.at(-1)).toMatchObject({ state: "completed", succeeded: 400 });
    expect(looks.some(({ succeeded }) => succeeded > 0 && succeeded < 400)).toBe(true);
    expect(looks.some(({ objectsPerSecond }) => objectsPerSecond > 0)).toBe(true);
    for (const look of looks) expect(sum(look)).toBeLessThanOrEqual(look.listed);
    const throughput = await batch.throughput();
    expect(throughput.reduce((objects, step) => objects + step.objects, 0)).toBe(400);
  });
});

describe("start", () => {
  test("with an idempotency key finds the batch that was started with it", async () => {
    const [from, to] = buckets(1);
    const spec = { operation: "copy", source: { bucket: from }, destination: { bucket: to } } as const;
    const one = await harness.batches.start(spec, { idempotencyKey: `key ${from}` });
    const two = await harness.batches.start(spec, { idempotencyKey: `key ${from}` });
    expect(two.id).toBe(one.id);
    await expect(
      harness.batches.start({ ...spec, operation: "move" }, { idempotencyKey: `key ${from}` }),
    ).rejects.toMatchObject({
      code: "IdempotencyConflict",
    });
    await one.done();
  });

  test("is listed, newest first, page by page, by state", async () => {
    const own = await startBatchHarness({ workers: 0 });
    const ids: string[] = [];
    for (let i = 0; i < 7; i++)
      ids.unshift((await own.batches.start({ operation: "delete", source: { bucket: "bkt" } })).id);
    await own.batches.get(ids[1]!).cancel();
    const seen: string[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await own.batches.list({ limit: 3, cursor });
      seen.push(...page.batches.map(({ id }) => id));
      cursor = page.next;
      if (cursor === undefined) break;
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
    expect((await own.batches.list({ state: "cancelled" })).batches.map(({ id }) => id)).toEqual([ids[1]]);
    await expect(own.batches.get("b00000000").status()).rejects.toMatchObject({ code: "BatchNotFound" });
    await own.close();
  });
});

describe("runs of a schedule that wait for their turn", () => {
  const turn = (id: string, schedule = "together", maxWaiting = 2) => {
    const store = createBatchStore(harness.redis, harness.prefix);
    const spec = parseBatchSpec({ operation: "delete", source: { bucket: "bkt" } });
    return store.takeTurn({ schedule, overlap: "queue", maxWaiting }, newBatch({ id, spec }));
  };
  const end = (id: string) => harness.batches.get(id).cancel();

  test("start one after the other, although they wake together", async () => {
    expect(await turn("sfirst00")).toBe("created");
    expect(await turn("ssecond0")).toBe("wait");
    expect(await turn("sfirst00"), "a second delivery").toBe("exists");
    await end("sfirst00");
    expect(await turn("ssecond0")).toBe("created");
    await end("ssecond0");
  });

  test("are skipped where too many wait already", async () => {
    expect(await turn("sbusy000", "often")).toBe("created");
    expect([await turn("swait001", "often"), await turn("swait002", "often")]).toEqual(["wait", "wait"]);
    expect([await turn("swait003", "often"), await turn("swait001", "often")]).toEqual(["skip", "wait"]);
    await end("sbusy000");
    expect(await turn("swait002", "often")).toBe("created");
    await end("swait002");
  });
});

describe("a schedule", () => {
  test.each(["skip", "queue"] as const)("with overlap %s", async (overlap) => {
    const [from, to] = buckets(1);
    const held = holdCopies(to);
    const schedule = await harness.batches.schedule(
      `s-${overlap}`,
      { every: 1000 },
      { operation: "copy", source: { bucket: from }, destination: { bucket: to } },
      { overlap },
    );
    expect(schedule).toMatchObject({ id: `s-${overlap}`, every: 1000, overlap });
    expect((await harness.batches.schedules.list()).map(({ id }) => id)).toContain(`s-${overlap}`);
    await until(() => expect(held.held()).toBe(1));
    const started = async () =>
      (await harness.batches.list()).batches.filter(
        ({ spec }) => "bucket" in spec.source && spec.source.bucket === from,
      );
    const key = `${harness.prefix}:~batch:schedule:s-${overlap}`;
    // The next run was due: it was left out, or waits.
    await until(async () => {
      const skipped = Number(await harness.redis.hget(key, "skipped"));
      const waiting = (await harness.queue.getDelayed()).filter(({ data }) => data.kind === "turn").length;
      expect(overlap === "skip" ? skipped : waiting).toBeGreaterThan(0);
    });
    expect(await started()).toHaveLength(1);
    held.release();
    await until(async () => expect((await started()).length).toBeGreaterThan(1));
    expect(await harness.batches.schedules.remove(`s-${overlap}`)).toBe(true);
    expect(await harness.batches.schedules.remove(`s-${overlap}`)).toBe(false);
  });

  test("with a bad rule or request is refused", async () => {
    const spec = { operation: "delete", source: { bucket: "bkt" } } as const;
    await expect(harness.batches.schedule("bad", { cron: "every day" }, spec)).rejects.toMatchObject({ field: "cron" });
    await expect(harness.batches.schedule("bad", { every: 10 }, spec)).rejects.toMatchObject({ code: "InvalidInput" });
    await expect(
      harness.batches.schedule("bad", { every: 1000 }, { ...spec, source: { bucket: "!" } }),
    ).rejects.toMatchObject({ code: "InvalidInput" });
  });
});
