import { randomBytes } from "node:crypto";
import type { Job } from "bullmq";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { ActivityError } from "../model/activity-error.ts";
import type { SandboxOptions } from "../sandbox/index.ts";
import { all, type BatchHarness, startBatchHarness } from "../test/batch-harness.ts";

import { createChunkProcessor } from "./chunk-processor.ts";
import type { DeleteDeadline } from "./run/work.ts";
import { CHUNK_QUEUE } from "../jobs/queues.ts";
import { quarantineMalformed } from "../jobs/quarantine.ts";
import { createChunkStore } from "./state/chunk-store.ts";
import { createBatchStore } from "./state/store.ts";

let harness: BatchHarness;
beforeAll(async () => {
  harness = await startBatchHarness();
});
afterAll(() => harness.close());

/** Waits until something holds; no test waits for a time. */
const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 10_000, interval: 20 });

const anHourAgo = (): Date => new Date(Date.now() - 3_600_000);

let made = 0;
/** Two buckets; the first holds objects of an hour ago. */
function buckets(keys: readonly string[], at = harness): readonly [string, string] {
  made++;
  const names = [`safe-in-${made}`, `safe-out-${made}`] as const;
  for (const name of names) at.sandbox.createBucket(name);
  for (const key of keys) at.sandbox.put(names[0], key, `content of ${key}`, { lastModified: anHourAgo() });
  return names;
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `k${String(i).padStart(4, "0")}`);

/** Delivers jobs by hand, as BullMQ would. */
function startDeliveries(at: BatchHarness, deadline?: DeleteDeadline) {
  const processor = createChunkProcessor(at.deps);
  const deliver = async (data: object, signal = new AbortController().signal): Promise<string> => {
    const unused = async (): Promise<void> => undefined;
    const job = { id: "b-job", data, moveToDelayed: unused, changePriority: unused } as unknown as Job; // all that the processor asks of it
    try {
      await processor(job, "token", signal, deadline);
      return "ended";
    } catch (error) {
      if (error instanceof Error && error.name === "DelayedError") return "delayed";
      throw error;
    }
  };
  return { deliver, close: processor.close };
}

describe("moves that cross", () => {
  test("lose nothing, and the second one waits for the first", async () => {
    const keys = numbered(300);
    const [here, there] = buckets(keys);
    const slow = harness.sandbox.fault({ kind: "latency", operation: "CopyObject", bucket: there, delayMs: 20 });
    const first = await harness.batches.start({
      operation: "move",
      source: { bucket: here },
      destination: { bucket: there },
    });
    await until(() => expect(harness.sandbox.count(there)).toBeGreaterThan(10));
    const back = await harness.batches.start({
      operation: "move",
      source: { bucket: there },
      destination: { bucket: here },
    });
    await until(async () =>
      expect((await back.status()).trouble).toMatchObject({
        code: "Overlap",
        message: expect.stringContaining(first.id),
      }),
    );
    slow.remove();
    expect(await first.done()).toMatchObject({ succeeded: 300 });
    expect(await back.done()).toMatchObject({ succeeded: 300, listed: 300 });
    expect(harness.sandbox.keys(here)).toEqual(keys);
  });

  test("are refused by name where the request says so", async () => {
    const [here, there] = buckets(numbered(50));
    const slow = harness.sandbox.fault({ kind: "latency", operation: "CopyObject", bucket: there, delayMs: 200 });
    const first = await harness.batches.start({
      operation: "copy",
      source: { bucket: here },
      destination: { bucket: there },
    });
    await until(() => expect(harness.sandbox.calls("CopyObject")).toBeGreaterThan(0));
    const back = await harness.batches.start({
      operation: "move",
      source: { items: [{ bucket: there, key: "k0001" }] },
      destination: { bucket: here },
      onOverlap: "fail",
    });
    await expect(back.done()).rejects.toMatchObject({
      code: "Overlap",
      message: expect.stringContaining(first.id),
    });
    slow.remove();
    await first.done();
  });

  test("wait where a delete had no answer, and may still come", async () => {
    const [here, there] = buckets(numbered(3));
    harness.sandbox.fault({ kind: "reset", operation: "DeleteObjects", bucket: here, times: 1 });
    const move = (from: string, to: string) =>
      harness.batches.start({
        operation: "move",
        source: { bucket: from },
        destination: { bucket: to },
        onOverlap: "fail",
      });
    const first = await move(here, there);
    expect(await first.done()).toMatchObject({ succeeded: 3 });
    await expect((await move(there, here)).done()).rejects.toMatchObject({ code: "Overlap" });
    expect([harness.sandbox.count(here), harness.sandbox.count(there)]).toEqual([0, 3]);
  });

  test("of places that do not meet run side by side", async () => {
    const [here, there] = buckets(["a/x", "b/x"]);
    const held = harness.sandbox.fault({ kind: "stall", operation: "CopyObject", bucket: there, key: "a/x" });
    const move = (prefix: string) =>
      harness.batches.start({
        operation: "move",
        source: { bucket: here, prefix },
        destination: { bucket: there, prefix },
      });
    const first = await move("a/");
    expect(await (await move("b/")).done()).toMatchObject({ succeeded: 1 });
    held.remove();
    await first.cancel();
  });
});

test.each([true, false])(
  "a source rewritten with the same bytes is kept (conditions enforced: %s)",
  async (enforced) => {
    const options: SandboxOptions = { enforceConditions: enforced };
    const connection = { conditionalDelete: enforced, conditionalCopy: enforced };
    const own = await startBatchHarness({ sandbox: options, connection });
    const [from, to] = buckets(numbered(20), own);
    let rewritten = false;
    own.sandbox.after("CopyObject", () => {
      if (rewritten) return;
      rewritten = true;
      for (const key of own.sandbox.keys(from))
        own.sandbox.put(from, key, `content of ${key}`, { metadata: { state: "new" } });
    });
    const batch = await own.batches.start({ operation: "move", source: { bucket: from }, destination: { bucket: to } });
    expect(await batch.done()).toMatchObject({ succeeded: 0, failed: 20, errors: { SourceChanged: 20 } });
    expect(own.sandbox.keys(from).map((key) => own.sandbox.object(from, key)?.metadata["state"])).toEqual(
      Array.from({ length: 20 }, () => "new"),
    );
    await own.close();
  },
);

describe("a delivery that lost its chunk", () => {
  const chunkOf = (batch: string) => ({ kind: "chunk", batch, chain: 0, n: 0 });
  const move = async (own: BatchHarness, keys = numbered(5)) => {
    const [from, to] = buckets(keys, own);
    const batch = await own.batches.start({ operation: "move", source: { bucket: from }, destination: { bucket: to } });
    return { from, to, batch };
  };

  /** The chunk's first delivery, whose worker is killed once its sources are deleted. Returns what brings the next ones. */
  const killAfterDelete = async (own: BatchHarness, id: string) => {
    const worker = startDeliveries(own);
    await worker.deliver({ kind: "open", batch: id });
    const killed = new AbortController();
    own.sandbox.after("DeleteObjects", () => killed.abort(new Error("killed")));
    await worker.deliver(chunkOf(id), killed.signal);
    own.sandbox.clearHooks();
    return worker;
  };

  test("deletes nothing once its lock may have run out", async () => {
    const own = await startBatchHarness({ workers: 0 });
    const { from, to, batch } = await move(own);
    const over = new AbortController();
    const deadline: DeleteDeadline = {
      deletes: over.signal,
      mayDelete: () => false,
      requireDelete() {
        throw new ActivityError("LockLost", "no renewal was confirmed", { retryable: true });
      },
    };
    const cutOff = startDeliveries(own, deadline);
    expect(await cutOff.deliver({ kind: "open", batch: batch.id })).toBe("ended");
    expect(await cutOff.deliver(chunkOf(batch.id))).toBe("delayed");
    expect([own.sandbox.count(from), own.sandbox.count(to)]).toEqual([5, 5]);
    expect(own.sandbox.calls("DeleteObjects")).toBe(0);
    cutOff.close();
    own.addWorker();
    expect(await batch.done()).toMatchObject({ succeeded: 5 });
    await own.close();
  });

  test("deletes nothing after a cancel that came while it copied", async () => {
    const own = await startBatchHarness({ workers: 0 });
    const { from, batch } = await move(own);
    const store = createBatchStore(own.redis, own.prefix);
    own.sandbox.after("CopyObject", async () => void (await store.steer(batch.id, "cancel")));
    const worker = startDeliveries(own);
    await worker.deliver({ kind: "open", batch: batch.id });
    await worker.deliver(chunkOf(batch.id));
    expect(await batch.done()).toMatchObject({ state: "cancelled", failed: 5 });
    expect(own.sandbox.count(from)).toBe(5);
    expect(own.sandbox.calls("DeleteObjects")).toBe(0);
    worker.close();
    await own.close();
  });

  test("leaves no row that says a source is kept which is gone", async () => {
    const own = await startBatchHarness({ workers: 0 });
    const { from, batch } = await move(own);
    const worker = await killAfterDelete(own, batch.id);
    expect(own.sandbox.count(from)).toBe(0);
    await createBatchStore(own.redis, own.prefix).steer(batch.id, "cancel");
    // Its job ends while it looks.
    const ended = new AbortController();
    own.sandbox.before("HeadObject", () => ended.abort(new Error("lock lost")));
    expect(await worker.deliver(chunkOf(batch.id), ended.signal)).toBe("delayed");
    own.sandbox.clearHooks();
    await worker.deliver(chunkOf(batch.id));
    expect(await batch.done()).toMatchObject({ state: "cancelled", succeeded: 5, failed: 0 });
    worker.close();
    await own.close();
  });

  test("leaves no such row either where the cancel comes after its copies were seen again", async () => {
    const own = await startBatchHarness({ workers: 0 });
    const { from, to, batch } = await move(own);
    const worker = await killAfterDelete(own, batch.id);
    expect([own.sandbox.count(from), own.sandbox.count(to)]).toEqual([0, 5]);
    const store = createBatchStore(own.redis, own.prefix);
    own.sandbox.after("HeadObject", async ({ bucket }) => {
      if (bucket === to) await store.steer(batch.id, "cancel");
    });
    await worker.deliver(chunkOf(batch.id));
    expect(await batch.done()).toMatchObject({ state: "cancelled", succeeded: 5, failed: 0 });
    worker.close();
    await own.close();
  });

  test("nor where the look after a delete without an answer was refused, and then came the cancel", async () => {
    const own = await startBatchHarness({ workers: 0 });
    // XML cannot carry such a key: it is deleted by a request of its own.
    const [from, to] = buckets(["odd\u0001"], own);
    const batch = await own.batches.start({ operation: "move", source: { bucket: from }, destination: { bucket: to } });
    const store = createBatchStore(own.redis, own.prefix);
    own.sandbox.fault({ operation: "DeleteObject", kind: "reset-after", times: 1 });
    own.sandbox.after("DeleteObject", async () => {
      own.sandbox.fault({ operation: "HeadObject", kind: "status", status: 500, code: "InternalError", times: 9 });
      await store.steer(batch.id, "cancel");
    });
    const worker = startDeliveries(own);
    await worker.deliver({ kind: "open", batch: batch.id });
    const delivered = worker.deliver(chunkOf(batch.id));
    await until(() => expect(own.sandbox.count(from)).toBe(0));
    await delivered;
    own.sandbox.clearFaults();
    await worker.deliver(chunkOf(batch.id));
    expect(await batch.done()).toMatchObject({ state: "cancelled", succeeded: 1, failed: 0 });
    worker.close();
    await own.close();
  });
});

describe("a page", () => {
  const page = {
    count: 1,
    bytes: 1,
    filtered: 0,
    cursor: "c",
    last: false,
    manifest: Buffer.from("m"),
    work: false,
    requests: 1,
  };

  test("is committed once, and only as the next of its chain, in its own run of the batch", async () => {
    const own = await startBatchHarness({ workers: 0, watchdogMs: 600_000 });
    const [from] = buckets(["a"], own);
    const batch = await own.batches.start({ operation: "delete", source: { bucket: from }, dryRun: true });
    const store = createBatchStore(own.redis, own.prefix);
    await store.open(batch.id, { cursors: ["{}"] });
    const chunks = createChunkStore(store);
    const ref = { batch: batch.id, chain: 0, n: 0 };
    const begun = await chunks.begin(ref, 10);
    if (begun.what !== "list") throw new Error(`expected a page to list, got ${begun.what}`);
    expect(await chunks.commit({ ...ref, n: 1 }, { ...page, run: begun.run }), "not the next").toEqual({
      what: "done",
    });
    expect(await chunks.commit(ref, { ...page, run: begun.run.replace("0.", "1.") }), "another phase").toEqual({
      what: "done",
    });
    expect(await chunks.commit(ref, { ...page, run: "0.000000000000" }), "an earlier record of this id").toEqual({
      what: "done",
    });
    expect(await chunks.commit(ref, { ...page, run: begun.run })).toMatchObject({ what: "committed" });
    expect(await chunks.commit(ref, { ...page, run: begun.run })).toEqual({ what: "adopted" });
    await own.close();
  });
});

test("a store's error code that is the name of something every object has is counted like any other", async () => {
  const [from, to] = buckets(["a", "b", "c"]);
  harness.sandbox.fault({
    kind: "status",
    operation: "CopyObject",
    bucket: to,
    key: "a",
    status: 403,
    code: "constructor",
  });
  harness.sandbox.fault({
    kind: "status",
    operation: "CopyObject",
    bucket: to,
    key: "b",
    status: 403,
    code: "valueOf",
  });
  const batch = await harness.batches.start({
    operation: "copy",
    source: { bucket: from },
    destination: { bucket: to },
  });
  const status = await batch.done();
  expect(status).toMatchObject({ succeeded: 1, failed: 2 });
  expect(new Map(Object.entries(status.errors))).toEqual(
    new Map([
      ["constructor", 1],
      ["valueOf", 1],
    ]),
  );
});

test.each(["delete", "move"] as const)(
  "a plan of a %s over names touches nothing that changed since",
  async (operation) => {
    const [from, to] = buckets(["changed", "same"]);
    const items = ["changed", "same", "missing"].map((key) => ({ bucket: from, key }));
    const destination = operation === "move" ? { destination: { bucket: to } } : {};
    const batch = await harness.batches.start({ operation, source: { items }, ...destination, dryRun: true });
    expect((await batch.done()).plan).toMatchObject({ objects: 3, refused: 1 });
    harness.sandbox.put(from, "changed", "newer");
    harness.sandbox.put(from, "missing", "came later");
    await batch.confirm();
    expect(await batch.done()).toMatchObject({ succeeded: 1, errors: { SourceChanged: 1, NoSuchKey: 1 } });
    expect(harness.sandbox.keys(from)).toEqual(["changed", "missing"]);
  },
);

test.each(["fail", "skip", "skip-identical"] as const)(
  "retryFailed goes on from proven copies under onConflict %s",
  async (onConflict) => {
    const [from, to] = buckets(["a", "b"]);
    const denied = harness.sandbox.fault({
      kind: "status",
      operation: "DeleteObjects",
      bucket: from,
      status: 403,
      code: "AccessDenied",
    });
    const move = { operation: "move", source: { bucket: from }, destination: { bucket: to }, onConflict } as const;
    const first = await harness.batches.start(move);
    expect(await first.done()).toMatchObject({ failed: 2 });
    denied.remove();
    // Somebody put another object in the place of one of the copies.
    harness.sandbox.put(to, "b", "theirs");
    expect(await (await first.retryFailed()).done()).toMatchObject({
      succeeded: onConflict === "skip-identical" ? 2 : 1,
    });
    expect(harness.sandbox.text(from, "a")).toBeUndefined();
    expect(harness.sandbox.text(to, "b")).toBe(onConflict === "skip-identical" ? "content of b" : "theirs");
  },
);

test("a line of a manifest that is no UTF-8 is a failed row, and `null` in CSV names the null version", async () => {
  const [from] = buckets(["café.txt", "k"]);
  const garbled = Buffer.concat([Buffer.from(`{"key":"caf`), Buffer.from([0xe9]), Buffer.from(`.txt"}\n`)]);
  const write = (content: Buffer | string) =>
    harness.documents.write(content, { name: "lines", deleteAfterDownload: false });
  const run = async (content: Buffer | string, format: "ndjson" | "csv") => {
    const source = { manifest: await write(content), format, ...(format === "ndjson" && { bucket: from }) };
    const batch = await harness.batches.start({ operation: "delete", source });
    await batch.done();
    return await all(batch.report());
  };
  expect(await run(garbled, "ndjson")).toMatchObject([{ status: "failed", code: "InvalidManifestLine" }]);
  expect(harness.sandbox.keys(from)).toContain("café.txt");
  expect(await run(`${from},k,null\n`, "csv")).toMatchObject([{ key: "k", versionId: "null" }]);
});

test("the order of fields makes no difference to an idempotency key", async () => {
  const [from, to] = buckets(["a"]);
  const start = (tags: Record<string, string>) =>
    harness.batches.start(
      { operation: "copy", source: { bucket: from }, destination: { bucket: to }, tags },
      { idempotencyKey: `order-${from}` },
    );
  const first = await start({ a: "1", b: "2" });
  expect((await start({ b: "2", a: "1" })).id).toBe(first.id);
  await expect(start({ a: "2" })).rejects.toMatchObject({ code: "IdempotencyConflict" });
});

test("items that write what others read are refused, whoever's credentials are named", async () => {
  const [from] = buckets(["a", "b"]);
  const items = [
    { bucket: from, key: "a", destinationKey: "b" },
    { bucket: from, key: "b", destinationKey: "c" },
  ];
  const start = (credentials?: string) =>
    harness.batches.start({
      operation: "move",
      source: { items },
      destination: { bucket: from, ...(credentials !== undefined && { credentials }) },
    });
  await expect(start()).rejects.toMatchObject({ code: "InvalidInput" });
  await expect(start("default")).rejects.toMatchObject({ code: "InvalidInput" });
  // Another name for the same store shows where the worker looks.
  await expect((await start("other")).done()).rejects.toMatchObject({ code: "BatchOverlap" });
  expect(harness.sandbox.keys(from)).toEqual(["a", "b"]);
});

test("lines of a manifest that meet at one destination are found over all chunks", async () => {
  const keys = numbered(1001);
  const [from, to] = buckets(keys);
  const line = (key: string, at: number) =>
    JSON.stringify({ bucket: from, key, destinationKey: at % 1000 === 0 ? "same" : `to/${key}` });
  const manifest = await harness.documents.write(`${keys.map(line).join("\n")}\n`, {
    name: "m",
    deleteAfterDownload: false,
  });
  const batch = await harness.batches.start({
    operation: "move",
    source: { manifest, format: "ndjson" },
    destination: { bucket: to },
  });
  expect(await batch.done()).toMatchObject({ succeeded: 1000, failed: 1, errors: { DestinationTaken: 1 } });
  expect(harness.sandbox.keys(from)).toEqual(["k1000"]);
  expect(harness.sandbox.text(to, "same")).toBe("content of k0000");
});

test("where the store takes any copy, nobody else's object at the destination is lost, nor a source whose copy was overwritten", async () => {
  const own = await startBatchHarness({
    // As many do: conditions on the source of a copy are enforced, and none on its destination.
    sandbox: { enforceConditions: { copy: false, delete: false, multiDelete: false } },
    connection: { conditionalCopy: true, conditionalWrite: false, conditionalDelete: false },
  });
  const [from, to] = buckets(["a", "b"], own);
  own.sandbox.after("ListObjectsV2", ({ bucket }) => void (bucket === to && own.sandbox.put(to, "b", "came later")));
  own.sandbox.after("CopyObject", ({ key }) => void own.sandbox.put(to, key, "somebody else's"));
  const batch = await own.batches.start({
    operation: "move",
    source: { bucket: from },
    destination: { bucket: to },
    onConflict: "fail",
  });
  expect(await batch.done()).toMatchObject({ failed: 2, errors: { DestinationChanged: 1, DestinationExists: 1 } });
  expect(own.sandbox.text(from, "a")).toBe("content of a");
  expect(own.sandbox.text(to, "b")).toBe("came later");
  await own.close();
});

test("figures count each object and request once, however often a chunk changes hands", async () => {
  const own = await startBatchHarness({ workers: 0, deps: { concurrency: 2 } });
  const [from, to] = buckets(numbered(40), own);
  const batch = await own.batches.start({ operation: "copy", source: { bucket: from }, destination: { bucket: to } });
  const worker = startDeliveries(own);
  await worker.deliver({ kind: "open", batch: batch.id });
  const chunk = { kind: "chunk", batch: batch.id, chain: 0, n: 0 };
  own.sandbox.fault({ kind: "status", operation: "CopyObject", key: "k0039", status: 403, code: "AccessDenied" });
  // Its worker stops half way, twice.
  for (const stopAt of [10, 25]) {
    const stopping = new AbortController();
    own.sandbox.after("CopyObject", () => {
      if (own.sandbox.count(to) >= stopAt) stopping.abort(new Error("the worker stops"));
    });
    own.sandbox.fault({ kind: "latency", operation: "CopyObject", delayMs: 5 });
    await worker.deliver(chunk, stopping.signal);
    own.sandbox.clearHooks();
  }
  await worker.deliver(chunk);
  const status = await batch.done();
  expect(status).toMatchObject({ succeeded: 39, failed: 1 });
  const throughput = (await batch.throughput()).reduce((sum, { objects }) => sum + objects, 0);
  expect(throughput).toBe(40);
  expect(status.requests.copy).toBeGreaterThanOrEqual(40);
  worker.close();
  await own.close();
});

test("a report is kept for its retention from the end of the batch on", async () => {
  const [from, to] = buckets(["a"]);
  const retention = 60;
  const batch = await harness.batches.start({
    operation: "copy",
    source: { bucket: from },
    destination: { bucket: to },
    retention,
  });
  await batch.done();
  const segment = await harness.documents.find(`batch-${batch.id}-0-0-1`);
  expect(Date.parse(segment?.expiresAt ?? "") - Date.now()).toBeGreaterThan(24 * 3_600_000);
});

test("a chunk's job that was put aside as malformed is given again", async () => {
  const own = await startBatchHarness({ workers: 0 });
  const [from, to] = buckets(numbered(3), own);
  const batch = await own.batches.start({ operation: "move", source: { bucket: from }, destination: { bucket: to } });
  const id = `b-${batch.id}-open`;
  await own.redis.hset(`${own.prefix}:${CHUNK_QUEUE}:${id}`, "data", "{");
  const { redis, prefix } = own;
  expect(await quarantineMalformed(redis, { prefix, queue: CHUNK_QUEUE, ids: [id] })).toEqual([id]);
  own.addWorker();
  expect(await batch.done()).toMatchObject({ state: "completed", succeeded: 3 });
  await own.close();
});

test("long keys that tell nothing of each other fill Redis no further than a bound", async () => {
  const own = await startBatchHarness({ workers: 0 });
  const store = createBatchStore(own.redis, own.prefix);
  const chunks = createChunkStore(store);
  const [from, to] = buckets(["k"], own);
  const batch = await own.batches.start({ operation: "move", source: { bucket: from }, destination: { bucket: to } });
  await store.open(batch.id, { cursors: [""] });
  const manifest = randomBytes(1024 ** 2);
  let opened = 0;
  for (; ; opened++) {
    const ref = { batch: batch.id, chain: 0, n: opened };
    const begun = await chunks.begin(ref, 128);
    if (begun.what !== "list") break;
    const page = {
      run: begun.run,
      count: 1000,
      bytes: 0,
      filtered: 0,
      cursor: "",
      last: false,
      work: false,
    };
    await chunks.commit(ref, { ...page, manifest });
  }
  expect(opened).toBe(16);
  await own.close();
});

test("equal ETags that every object has do not make two objects identical", async () => {
  const [from, to] = buckets(["a"]);
  harness.sandbox.put(from, "a", "one", { lastModified: anHourAgo(), etag: "0" });
  harness.sandbox.put(to, "a", "two", { lastModified: anHourAgo(), etag: "0" });
  const onConflict = "skip-identical";
  const batch = await harness.batches.start({
    operation: "copy",
    source: { bucket: from },
    destination: { bucket: to },
    onConflict,
  });
  expect(await batch.done()).toMatchObject({ skipped: 0 });
  expect(harness.sandbox.text(to, "a")).toBe("one");
});
