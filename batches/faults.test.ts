import { lookup } from "node:dns/promises";
import { batchKeys } from "./state/keys.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { all, type BatchHarness, startBatchHarness } from "../test/batch-harness.ts";
import { startRedis, startSandbox } from "../sandbox/index.ts";
import type { Call, ListPage, ListRequest } from "../s3/interface.ts";
import { ActivityError } from "../model/activity-error.ts";
import type { DocumentStore } from "../documents/interface.ts";

let harness: BatchHarness;
beforeAll(async () => {
  harness = await startBatchHarness();
});
afterAll(async () => {
  await harness.close();
});

afterEach(() => {
  harness.sandbox.clearFaults();
  harness.sandbox.clearHooks();
});

let made = 0;
function buckets(count: number, at = harness): [from: string, to: string] {
  made++;
  const pair: [string, string] = [`f-${made}-in`, `f-${made}-out`];
  for (const name of pair) at.sandbox.createBucket(name);
  for (let i = 0; i < count; i++) at.sandbox.put(pair[0], `k${String(i).padStart(5, "0")}`, `${i}`);
  return pair;
}

const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 10_000, interval: 20 });

/** Every object is at exactly one place, and its row says which. */
async function expectTruth(
  at: BatchHarness,
  id: string,
  [from, to]: readonly [string, string],
  count: number,
): Promise<void> {
  const status = await at.batches.get(id).status();
  expect(status.succeeded + status.failed + status.skipped + status.unattempted).toBe(status.listed);
  const rows = await all(at.batches.get(id).report());
  expect(rows).toHaveLength(status.listed);
  expect(rows).toHaveLength(count);
  const untrue = rows.filter(({ key, status: outcome }) => {
    const content = String(Number(key.slice(1)));
    const [here, there] = [at.sandbox.text(from, key), at.sandbox.text(to, key)];
    return outcome === "succeeded" ? here !== undefined || there !== content : here !== content;
  });
  expect(untrue).toEqual([]);
}

describe("a move", () => {
  test("rides out SlowDown, resets and errors without a failed row", async () => {
    const pair = buckets(1300);
    const { sandbox } = harness;
    sandbox.fault({ operation: "CopyObject", kind: "slow-down", probability: 0.05, times: 60 });
    sandbox.fault({ operation: "CopyObject", kind: "reset-after", probability: 0.03, seed: 2, times: 30 });
    sandbox.fault({
      operation: "CopyObject",
      kind: "error-in-200",
      after: true,
      probability: 0.02,
      seed: 3,
      times: 20,
    });
    sandbox.fault({ operation: "ListObjectsV2", kind: "slow-down", times: 2 });
    sandbox.fault({ operation: "DeleteObjects", kind: "reset-after", times: 1 });
    sandbox.fault({ operation: "DeleteObjects", kind: "slow-down", times: 2 });
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: pair[0] },
      destination: { bucket: pair[1] },
    });
    expect(await batch.done()).toMatchObject({ state: "completed", succeeded: 1300, failed: 0 });
    sandbox.clearFaults();
    await expectTruth(harness, batch.id, pair, 1300);
  });

  test("takes any number of SlowDowns for what they are", async () => {
    const [from, to] = buckets(1);
    harness.sandbox.fault({ operation: "CopyObject", kind: "slow-down", times: 6 });
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
    });
    expect(await batch.done()).toMatchObject({ succeeded: 1, failed: 0 });
  });

  test("keeps a source that is overwritten after its copy", async () => {
    const [from, to] = buckets(3);
    const remove = harness.sandbox.after("CopyObject", ({ key }) => {
      if (key === "k00001") harness.sandbox.put(from, key, "newer");
    });
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
    });
    expect(await batch.done()).toMatchObject({ succeeded: 2, failed: 1, errors: { SourceChanged: 1 } });
    remove();
    expect(harness.sandbox.text(from, "k00001")).toBe("newer");
    expect(harness.sandbox.text(to, "k00001")).toBe("1");
  });

  test("keeps a source whose copy is not proven", async () => {
    const [from, to] = buckets(2);
    harness.sandbox.fault({ operation: "CopyObject", key: "k00001", kind: "empty-200" });
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
    });
    expect(await batch.done()).toMatchObject({ succeeded: 1, failed: 1 });
    harness.sandbox.clearFaults();
    expect(harness.sandbox.keys(from)).toEqual(["k00001"]);
    expect(harness.sandbox.keys(to)).toEqual(["k00000"]);
  });

  test("keeps a source whose proof is weaker than asked for", async () => {
    const [from, to] = buckets(0);
    harness.sandbox.put(from, "a", "A", { etag: `${"0".repeat(32)}-2` });
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
      minVerify: "etag",
    });
    expect(await batch.done()).toMatchObject({ failed: 1, errors: { VerificationTooWeak: 1 } });
    expect(harness.sandbox.keys(from)).toEqual(["a"]);
  });

  test("says of a denied delete that both are kept", async () => {
    const [from, to] = buckets(2);
    harness.sandbox.fault({ operation: "DeleteObjects", kind: "status", status: 403, code: "AccessDenied" });
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
    });
    expect(await batch.done()).toMatchObject({ failed: 2, errors: { AccessDenied: 2 } });
    harness.sandbox.clearFaults();
    const [row] = await all(batch.report());
    expect(row?.message).toMatch(/both kept/);
    expect(harness.sandbox.count(from)).toBe(2);
  });

  test("copies large objects in parts beside small ones", async () => {
    const own = await startBatchHarness({ sandbox: { minPartSize: 1 }, connection: { multipartThreshold: 1000 } });
    const [from, to] = buckets(3, own);
    own.sandbox.put(from, "large", Buffer.alloc(20_000, "x"));
    const batch = await own.batches.start({ operation: "move", source: { bucket: from }, destination: { bucket: to } });
    expect(await batch.done()).toMatchObject({ state: "completed", succeeded: 4 });
    expect(own.sandbox.bytes(to, "large")?.length).toBe(20_000);
    expect(own.sandbox.keys(from)).toEqual([]);
    expect(own.sandbox.uploads()).toEqual([]);
    await own.close();
  });
});

test("a large object goes on at part level where another worker stopped", async () => {
  const own = await startBatchHarness({
    sandbox: { minPartSize: 1 },
    connection: { multipartThreshold: 1000 },
    s3: { copyPartSize: 5000, copyParts: 1 },
    workers: 0,
  });
  const [from, to] = buckets(0, own);
  own.sandbox.put(from, "large", Buffer.alloc(20_000, "x"));
  const stall = own.sandbox.fault({ operation: "UploadPartCopy", kind: "stall", nth: 3 });
  const first = own.addWorker();
  const batch = await own.batches.start({ operation: "move", source: { bucket: from }, destination: { bucket: to } });
  await vi.waitFor(() => expect(stall.hits).toBe(1), { timeout: 10_000 });
  await first.close();
  own.addWorker();
  expect(await batch.done()).toMatchObject({ state: "completed", succeeded: 1 });
  // Two parts before, two after, and the one that nobody answered.
  expect([own.sandbox.counts.CreateMultipartUpload, own.sandbox.counts.UploadPartCopy]).toEqual([1, 5]);
  expect(own.sandbox.bytes(to, "large")?.length).toBe(20_000);
  expect([own.sandbox.keys(from), own.sandbox.uploads()]).toEqual([[], []]);
  await own.close();
});

describe("where the store does not enforce conditions", () => {
  test("a HEAD comes before each delete, and the report says so", async () => {
    const own = await startBatchHarness({
      sandbox: { enforceConditions: { delete: false, multiDelete: false } },
      connection: { conditionalDelete: false },
    });
    const [from, to] = buckets(3, own);
    own.sandbox.after("CopyObject", ({ key }) => {
      if (key === "k00001") own.sandbox.put(from, key, "newer");
    });
    const batch = await own.batches.start({ operation: "move", source: { bucket: from }, destination: { bucket: to } });
    expect(await batch.done()).toMatchObject({ succeeded: 2, failed: 1, errors: { SourceChanged: 1 } });
    expect(own.sandbox.text(from, "k00001")).toBe("newer");
    const rows = await all(batch.report({ only: "succeeded" }));
    expect(rows.map(({ guarantee }) => guarantee)).toEqual(["best-effort", "best-effort"]);
    own.sandbox.clearHooks();
    const rest = await own.batches.start({ operation: "delete", source: { bucket: to } });
    expect(await rest.done()).toMatchObject({ succeeded: 3 });
    await own.close();
  });
});

describe("trouble of our own", () => {
  test("a full document store holds the chunk's end up, and loses no outcome", async () => {
    let full = true;
    const own = await startBatchHarness({ workers: 0 });
    const documents: DocumentStore = {
      ...own.documents,
      write: (source, options) =>
        full && options.name.startsWith("report")
          ? Promise.reject(new ActivityError("DiskFull", "expected room", { retryable: true }))
          : own.documents.write(source, options),
    };
    own.addWorker({ deps: { documents } });
    const [from, to] = buckets(4, own);
    const batch = await own.batches.start({ operation: "move", source: { bucket: from }, destination: { bucket: to } });
    await until(async () => expect((await batch.status()).trouble).toMatchObject({ code: "DiskFull" }));
    expect(await batch.status()).toMatchObject({ state: "running", succeeded: 4, listed: 4 });
    const copies = own.sandbox.calls("CopyObject");
    full = false;
    expect(await batch.done()).toMatchObject({ state: "completed", succeeded: 4 });
    expect((await batch.status()).trouble).toBeUndefined();
    expect(own.sandbox.calls("CopyObject")).toBe(copies);
    expect(await all(batch.report())).toHaveLength(4);
    await own.close();
  });

  test("jobs that got lost are found by the watchdog", async () => {
    const own = await startBatchHarness({ workers: 0 });
    // A lock without an end is nobody's.
    await own.redis.set(batchKeys(own.prefix).watchdog(), "of another program");
    const [from, to] = buckets(1100, own);
    const batch = await own.batches.start({ operation: "move", source: { bucket: from }, destination: { bucket: to } });
    await own.queue.obliterate({ force: true });
    own.addWorker();
    own.sandbox.before("CopyObject", async () => {
      own.sandbox.clearHooks();
      await own.queue.drain(true);
    });
    expect(await batch.done()).toMatchObject({ state: "completed", succeeded: 1100 });
    await own.close();
  });

  test("a batch whose every worker stopped goes on when one comes back", async () => {
    const own = await startBatchHarness({ workers: 0 });
    const first = own.addWorker();
    const pair = buckets(1500, own);
    own.sandbox.fault({ operation: "CopyObject", kind: "latency", delayMs: 50 });
    const batch = await own.batches.start({
      operation: "move",
      source: { bucket: pair[0] },
      destination: { bucket: pair[1] },
    });
    await until(() => expect(own.sandbox.count(pair[1])).toBeGreaterThan(100));
    await first.close();
    expect((await batch.status()).state).toBe("running");
    own.sandbox.clearFaults();
    own.addWorker();
    own.addWorker();
    expect(await batch.done()).toMatchObject({ state: "completed", succeeded: 1500 });
    await expectTruth(own, batch.id, pair, 1500);
    await own.close();
  });

  test("Redis that is killed, restarted and has forgotten its scripts changes nothing", async () => {
    const redis = await startRedis({
      appendonly: true,
      appendfsync: "always",
      choices: ["redis-server", "valkey-server"],
    });
    const own = await startBatchHarness({ redis: redis.url });
    const pair = buckets(2200, own);
    own.sandbox.fault({ operation: "CopyObject", kind: "latency", delayMs: 20 });
    const batch = await own.batches.start({
      operation: "move",
      source: { bucket: pair[0] },
      destination: { bucket: pair[1] },
    });
    await until(() => expect(own.sandbox.count(pair[1])).toBeGreaterThan(200));
    await redis.kill();
    await redis.restart();
    own.sandbox.clearFaults();
    expect(await batch.done()).toMatchObject({ state: "completed", succeeded: 2200 });
    await expectTruth(own, batch.id, pair, 2200);
    await own.close();
    await redis.stop();
  });

  test("the record, its counts and its report are all that is left in Redis, and expire", async () => {
    const [from, to] = buckets(3);
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
      retention: 3600,
    });
    await batch.done();
    const root = `${harness.prefix}:~batch:${batch.id}`;
    const keys = (await harness.redis.keys(`${root}*`)).toSorted();
    expect(keys).toEqual([root, `${root}:rate`, `${root}:segments`]);
    for (const key of keys) expect(await harness.redis.ttl(key)).toBeGreaterThan(3500);
    expect(await harness.redis.zscore(`${harness.prefix}:~batch:active`, batch.id)).toBeNull();
    await until(async () => expect(await harness.queue.getJobCountByTypes()).toBe(0));
  });
});

/** Another name for 127.0.0.1. A container without /etc/hosts knows no `localhost`. */
async function otherLoopback(): Promise<string> {
  return await lookup("localhost", 4).then(
    () => "localhost",
    () => "[::ffff:127.0.0.1]",
  );
}

describe("two stores", () => {
  let own: BatchHarness;
  let far: Awaited<ReturnType<typeof startSandbox>>;
  beforeAll(async () => {
    far = await startSandbox();
    const otherName = await otherLoopback();
    own = await startBatchHarness({
      connections: (sandbox) => ({
        far: { endpoint: far.endpoint },
        // The same place under another name.
        alias: { endpoint: sandbox.endpoint.replace("127.0.0.1", otherName) },
      }),
    });
  });
  afterAll(async () => {
    await own.close();
    await far.close();
  });

  test("are copied between, each with its own credentials, and the source goes after the proof", async () => {
    const [from] = buckets(30, own);
    far.createBucket(from);
    const batch = await own.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: from, credentials: "far" },
    });
    expect(await batch.done()).toMatchObject({ state: "completed", succeeded: 30 });
    expect(far.count(from)).toBe(30);
    expect(far.text(from, "k00007")).toBe("7");
    expect(own.sandbox.count(from)).toBe(0);
  });

  test("that are one under two names are not moved onto themselves", async () => {
    const [from] = buckets(3, own);
    const onto = await own.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: from, credentials: "alias" },
    });
    await expect(onto.done()).rejects.toMatchObject({ code: "BatchOverlap" });
    const items = await own.batches.start({
      operation: "move",
      source: { items: [{ bucket: from, key: "k00001" }] },
      destination: { bucket: from, credentials: "alias" },
    });
    expect(await items.done()).toMatchObject({ failed: 1, errors: { SameObject: 1 } });
    expect(own.sandbox.keys(from)).toEqual(["k00000", "k00001", "k00002"]);
  });
});

describe("a store that lists in ways of its own", () => {
  const paged =
    (change: (request: ListRequest, page: (request: ListRequest) => Promise<ListPage>) => Promise<ListPage>) =>
    async () => {
      const s3 = await harness.deps.s3For(undefined, "copy-object", {});
      return {
        ...s3,
        listPage: (request: ListRequest, call: Call) =>
          change({ ...request, maxKeys: 50 }, (asked) => s3.listPage(asked, call)),
      };
    };

  test.each([
    ["ignores startAfter", paged(({ startAfter: _, ...request }, page) => page(request))],
    [
      "has no order",
      paged(async ({ startAfter: _, ...request }, page) => {
        const { objects, ...rest } = await page(request);
        return { ...rest, objects: objects.toReversed() };
      }),
    ],
  ])("%s: every object is found once", async (_how, s3For) => {
    const own = await startBatchHarness({ workers: 0 });
    const opened = s3For();
    own.addWorker({ deps: { s3For: () => opened } });
    const [from, to] = buckets(330);
    const batch = await own.batches.start({ operation: "copy", source: { bucket: from }, destination: { bucket: to } });
    const status = await batch.done();
    expect(status).toMatchObject({ state: "completed", listed: 330, succeeded: 330 });
    await own.close();
  });
});
