import { describe, expect, test, vi } from "vitest";
import { all, startBatchHarness } from "../../../test/batch-harness.ts";
import { expectTruth, fillBuckets, useBatchHarness } from "../../../test/batches/verbs.ts";

const { at: shared } = useBatchHarness();
const buckets = (count: number, at = shared()) => fillBuckets(at, count);

describe("a move", () => {
  test("rides out SlowDown, resets and errors without a failed row", async () => {
    const pair = buckets(1300);
    const { sandbox } = shared();
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
    const batch = await shared().batches.start({
      operation: "move",
      source: { bucket: pair[0] },
      destination: { bucket: pair[1] },
    });
    expect(await batch.done()).toMatchObject({ state: "completed", succeeded: 1300, failed: 0 });
    sandbox.clearFaults();
    await expectTruth(shared(), batch.id, pair, 1300);
  });

  test("takes any number of SlowDowns for what they are", async () => {
    const [from, to] = buckets(1);
    shared().sandbox.fault({ operation: "CopyObject", kind: "slow-down", times: 6 });
    const batch = await shared().batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
    });
    expect(await batch.done()).toMatchObject({ succeeded: 1, failed: 0 });
  });

  test("keeps a source that is overwritten after its copy", async () => {
    const [from, to] = buckets(3);
    const remove = shared().sandbox.after("CopyObject", ({ key }) => {
      if (key === "k00001") shared().sandbox.put(from, key, "newer");
    });
    const batch = await shared().batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
    });
    expect(await batch.done()).toMatchObject({ succeeded: 2, failed: 1, errors: { SourceChanged: 1 } });
    remove();
    expect(shared().sandbox.text(from, "k00001")).toBe("newer");
    expect(shared().sandbox.text(to, "k00001")).toBe("1");
  });

  test("keeps a source whose copy is not proven", async () => {
    const [from, to] = buckets(2);
    shared().sandbox.fault({ operation: "CopyObject", key: "k00001", kind: "empty-200" });
    const batch = await shared().batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
    });
    expect(await batch.done()).toMatchObject({ succeeded: 1, failed: 1 });
    shared().sandbox.clearFaults();
    expect(shared().sandbox.keys(from)).toEqual(["k00001"]);
    expect(shared().sandbox.keys(to)).toEqual(["k00000"]);
  });

  test("keeps a source whose proof is weaker than asked for", async () => {
    const [from, to] = buckets(0);
    shared().sandbox.put(from, "a", "A", { etag: `${"0".repeat(32)}-2` });
    const batch = await shared().batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
      minVerify: "etag",
    });
    expect(await batch.done()).toMatchObject({ failed: 1, errors: { VerificationTooWeak: 1 } });
    expect(shared().sandbox.keys(from)).toEqual(["a"]);
  });

  test("says of a denied delete that both are kept", async () => {
    const [from, to] = buckets(2);
    shared().sandbox.fault({ operation: "DeleteObjects", kind: "status", status: 403, code: "AccessDenied" });
    const batch = await shared().batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
    });
    expect(await batch.done()).toMatchObject({ failed: 2, errors: { AccessDenied: 2 } });
    shared().sandbox.clearFaults();
    const [row] = await all(batch.report());
    expect(row?.message).toMatch(/both kept/);
    expect(shared().sandbox.count(from)).toBe(2);
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
