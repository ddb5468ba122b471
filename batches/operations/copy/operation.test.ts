import { expect, test, vi } from "vitest";
import { all, startBatchHarness } from "../../../test/batch-harness.ts";
import { fillBuckets, useBatchHarness } from "../../../test/batches/verbs.ts";

const { at } = useBatchHarness();

/** A copy of everything. */
const copyOf = ([from, to]: readonly [string, string]) =>
  ({ operation: "copy", source: { bucket: from }, destination: { bucket: to } }) as const;

test("rides out SlowDown and broken connections: every object is at both places", async () => {
  const { sandbox, batches } = at();
  const pair = fillBuckets(at(), 300);
  sandbox.fault({ operation: "CopyObject", kind: "slow-down", probability: 0.1, times: 30 });
  sandbox.fault({ operation: "CopyObject", kind: "reset-after", probability: 0.05, seed: 2, times: 10 });
  const batch = await batches.start(copyOf(pair));
  expect(await batch.done()).toMatchObject({ state: "completed", succeeded: 300, failed: 0 });
  const content = (bucket: string) => sandbox.keys(bucket).map((key) => [key, sandbox.text(bucket, key)]);
  expect(content(pair[1])).toEqual(content(pair[0]));
  expect(sandbox.count(pair[0])).toBe(300);
});

test("goes on where a worker was stopped amid its objects, and gives each one row", async () => {
  const own = await startBatchHarness({ workers: 0 });
  const pair = fillBuckets(own, 50);
  const stall = own.sandbox.fault({ operation: "CopyObject", kind: "stall", nth: 20 });
  const first = own.addWorker();
  const batch = await own.batches.start(copyOf(pair));
  await vi.waitFor(() => expect(stall.hits).toBe(1), { timeout: 10_000 });
  await first.close();
  own.addWorker();
  expect(await batch.done()).toMatchObject({ state: "completed", succeeded: 50, failed: 0 });
  const keys = (await all(batch.report())).map(({ key }) => key);
  expect([keys.length, new Set(keys).size, own.sandbox.count(pair[0]), own.sandbox.count(pair[1])]).toEqual([
    50, 50, 50, 50,
  ]);
  await own.close();
});

test("says of a refused copy what the store said, and leaves nothing at the destination", async () => {
  const { sandbox, batches } = at();
  const pair = fillBuckets(at(), 2);
  sandbox.fault({ operation: "CopyObject", key: "k00001", kind: "status", status: 403, code: "AccessDenied" });
  const batch = await batches.start(copyOf(pair));
  expect(await batch.done()).toMatchObject({ succeeded: 1, failed: 1, errors: { AccessDenied: 1 } });
  expect(sandbox.keys(pair[1])).toEqual(["k00000"]);
});
