import { expect, test, vi } from "vitest";
import { all, startBatchHarness } from "../../../test/batch-harness.ts";
import { fillBuckets, useBatchHarness } from "../../../test/batches/verbs.ts";

const { at } = useBatchHarness();

test("rides out SlowDown and broken connections without a failed row", async () => {
  const { sandbox, batches } = at();
  const [from] = fillBuckets(at(), 1200);
  sandbox.fault({ operation: "DeleteObjects", kind: "slow-down", times: 2 });
  sandbox.fault({ operation: "DeleteObjects", kind: "reset-after", nth: 4 });
  const batch = await batches.start({ operation: "delete", source: { bucket: from } });
  expect(await batch.done()).toMatchObject({ state: "completed", succeeded: 1200, failed: 0 });
  expect(sandbox.count(from)).toBe(0);
});

test("goes on where a worker was stopped amid a request, and gives each object one row", async () => {
  const own = await startBatchHarness({ workers: 0 });
  const [from] = fillBuckets(own, 40);
  const stall = own.sandbox.fault({ operation: "DeleteObjects", kind: "stall", nth: 1 });
  const first = own.addWorker();
  const batch = await own.batches.start({ operation: "delete", source: { bucket: from } });
  await vi.waitFor(() => expect(stall.hits).toBe(1), { timeout: 10_000 });
  await first.close();
  own.addWorker();
  const { succeeded, failed } = await batch.done();
  expect(succeeded + failed).toBe(40);
  const rows = await all(batch.report());
  expect([rows.length, new Set(rows.map(({ key }) => key)).size]).toEqual([40, 40]);
  const gone = rows.filter(({ status }) => status === "succeeded");
  expect(gone.filter(({ key }) => own.sandbox.text(from, key) !== undefined)).toEqual([]);
  await own.close();
});

test("says of a refused object what the store said, and keeps it", async () => {
  const { sandbox, batches } = at();
  const [from] = fillBuckets(at(), 2);
  sandbox.fault({ operation: "DeleteObjects", kind: "status", status: 403, code: "AccessDenied" });
  const batch = await batches.start({ operation: "delete", source: { bucket: from } });
  expect(await batch.done()).toMatchObject({ succeeded: 0, failed: 2, errors: { AccessDenied: 2 } });
  expect(sandbox.count(from)).toBe(2);
});

test("keeps an object that was overwritten since it was listed", async () => {
  const { sandbox, batches } = at();
  const [from] = fillBuckets(at(), 3);
  sandbox.before("DeleteObjects", () => {
    sandbox.clearHooks();
    sandbox.put(from, "k00001", "newer");
  });
  const batch = await batches.start({ operation: "delete", source: { bucket: from } });
  expect(await batch.done()).toMatchObject({ succeeded: 2, failed: 1 });
  expect([sandbox.keys(from), sandbox.text(from, "k00001")]).toEqual([["k00001"], "newer"]);
});
