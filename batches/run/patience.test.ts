import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type BatchHarness, startBatchHarness } from "../../test/batch-harness.ts";

/** What fails more often than the S3 client tries by itself. */
const TROUBLE = { kind: "status", status: 500, times: 7 } as const;

let harness: BatchHarness;
beforeAll(async () => {
  harness = await startBatchHarness({ workers: 0 });
});
afterAll(async () => {
  await harness.close();
});

const looksAt = (key: string) =>
  harness.sandbox.log.filter((entry) => entry.operation === "HeadObject" && entry.key === key).length;

test("a delivery that takes over looks at every other copy once, however often one look fails", async () => {
  const { sandbox, batches } = harness;
  const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
  for (const bucket of ["from", "to"]) sandbox.createBucket(bucket);
  for (const key of keys) sandbox.put("from", key, key);
  const stall = sandbox.fault({ operation: "DeleteObjects", kind: "stall" });
  const victim = harness.addWorker();
  const batch = await batches.start({ operation: "move", source: { bucket: "from" }, destination: { bucket: "to" } });
  await vi.waitFor(() => expect(stall.hits).toBe(1), { timeout: 10_000, interval: 20 });
  await victim.close();
  stall.remove();
  sandbox.fault({ ...TROUBLE, operation: "HeadObject", key: "k7" });
  const successor = harness.addWorker();
  expect(await batch.done()).toMatchObject({ state: "completed", succeeded: keys.length });
  await successor.close();
  expect(looksAt("k7")).toBe(TROUBLE.times + 1);
  expect(looksAt("k19")).toBe(1);
});

test("conflicts are looked for once for every other object, however often one look fails", async () => {
  const { sandbox, batches } = harness;
  for (const bucket of ["items", "taken"]) sandbox.createBucket(bucket);
  const items = ["a", "b", "c"].map((key) => ({ bucket: "items", key }));
  for (const { key } of items) sandbox.put("items", key, key);
  sandbox.put("taken", "b", "theirs");
  sandbox.fault({ ...TROUBLE, operation: "HeadObject", bucket: "taken", key: "a" });
  const worker = harness.addWorker();
  const batch = await batches.start({
    operation: "copy",
    source: { items },
    destination: { bucket: "taken" },
    onConflict: "skip",
  });
  expect(await batch.done()).toMatchObject({ state: "completed", succeeded: 2, skipped: 1 });
  await worker.close();
  const looks = sandbox.log.filter(
    ({ operation, bucket, key }) => operation === "HeadObject" && `${bucket}/${key}` === "taken/c",
  );
  expect(looks).toHaveLength(1);
});

test("a source is looked at once before it is deleted where conditions are not enforced, however often one look fails", async () => {
  const own = await startBatchHarness({
    sandbox: { enforceConditions: { delete: false, multiDelete: false } },
    connection: { conditionalDelete: false },
  });
  const { sandbox, batches } = own;
  for (const bucket of ["from", "to"]) sandbox.createBucket(bucket);
  for (const key of ["a", "b", "c"]) sandbox.put("from", key, key);
  sandbox.fault({ ...TROUBLE, operation: "HeadObject", bucket: "from", key: "a" });
  const batch = await batches.start({ operation: "move", source: { bucket: "from" }, destination: { bucket: "to" } });
  expect(await batch.done()).toMatchObject({ state: "completed", succeeded: 3 });
  const looks = sandbox.log.filter(({ operation, key }) => operation === "HeadObject" && key === "c");
  expect(looks).toHaveLength(1);
  await own.close();
});

test("a source whose delete was never answered is looked for before its row says that it is kept", async () => {
  const { sandbox, batches } = harness;
  for (const bucket of ["silent", "beyond"]) sandbox.createBucket(bucket);
  for (const key of ["a", "b"]) sandbox.put("silent", key, key);
  sandbox.fault({ operation: "DeleteObjects", bucket: "silent", kind: "reset-after" });
  const worker = harness.addWorker();
  const batch = await batches.start({
    operation: "move",
    source: { bucket: "silent" },
    destination: { bucket: "beyond" },
  });
  expect(await batch.done()).toMatchObject({ state: "completed", succeeded: 2, failed: 0 });
  await worker.close();
  expect(sandbox.keys("silent")).toEqual([]);
});
