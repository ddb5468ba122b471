import { lookup } from "node:dns/promises";
import { batchKeys } from "./state/keys.ts";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { all, type BatchHarness, startBatchHarness } from "../test/batch-harness.ts";
import { expectTruth, fillBuckets, useBatchHarness } from "../test/batches/verbs.ts";
import { startRedis, startSandbox } from "../sandbox/index.ts";
import type { Call, ListPage, ListRequest } from "../s3/interface.ts";
import { ActivityError } from "../model/activity-error.ts";
import type { DocumentStore } from "../documents/interface.ts";

const { at: shared } = useBatchHarness();
const buckets = (count: number, at = shared()) => fillBuckets(at, count);

const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 10_000, interval: 20 });

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
    const batch = await shared().batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
      retention: 3600,
    });
    await batch.done();
    const root = `${shared().prefix}:~batch:${batch.id}`;
    const keys = (await shared().redis.keys(`${root}*`)).toSorted();
    expect(keys).toEqual([root, `${root}:rate`, `${root}:segments`]);
    for (const key of keys) expect(await shared().redis.ttl(key)).toBeGreaterThan(3500);
    expect(await shared().redis.zscore(`${shared().prefix}:~batch:active`, batch.id)).toBeNull();
    await until(async () => expect(await shared().queue.getJobCountByTypes()).toBe(0));
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
      const s3 = await shared().deps.s3For(undefined, "copy-object", {});
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
