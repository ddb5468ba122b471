import { expect, test, vi } from "vitest";
import { all, startBatchHarness } from "../../test/batch-harness.ts";

test("a cancelled batch says of objects that an earlier delivery may have copied that a copy may be there", async () => {
  const { sandbox, batches, addWorker, close } = await startBatchHarness({ workers: 0 });
  for (const bucket of ["from", "to"]) sandbox.createBucket(bucket);
  for (const key of ["a", "b"]) sandbox.put("from", key, key);
  const stall = sandbox.fault({ operation: "CopyObject", kind: "stall", after: true });
  const victim = addWorker();
  const batch = await batches.start({ operation: "move", source: { bucket: "from" }, destination: { bucket: "to" } });
  await vi.waitFor(() => expect(stall.hits).toBe(2), { timeout: 10_000, interval: 20 });
  await victim.close();
  await batch.cancel();
  addWorker();
  expect(await batch.done()).toMatchObject({ state: "cancelled", unattempted: 2 });
  const rows = await all(batch.report());
  expect(sandbox.keys("to")).toEqual(["a", "b"]);
  expect(rows.map(({ message }) => message)).toEqual(Array(2).fill(expect.stringContaining("may have left a copy")));
  await close();
});

test("a store that gives every failure another name fills no batch with names", { timeout: 60_000 }, async () => {
  const { sandbox, batches, close } = await startBatchHarness({ workers: 1 });
  for (const bucket of ["from", "to"]) sandbox.createBucket(bucket);
  for (let n = 0; n < 150; n++) {
    sandbox.put("from", `k${n}`, "x");
    sandbox.fault({
      operation: "CopyObject",
      key: `k${n}`,
      kind: "status",
      status: 403,
      code: `Made${n}`,
      times: 1000,
    });
  }
  const batch = await batches.start({ operation: "copy", source: { bucket: "from" }, destination: { bucket: "to" } });
  const { failed, errors } = await batch.done();
  expect(failed).toBe(150);
  expect(Object.keys(errors)).toHaveLength(101);
  expect(errors["UnknownError"]).toBe(50);
  const rows = await all(batch.report());
  expect(new Set(rows.map(({ code }) => code)).size).toBe(150);
  await close();
});
