import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { all, type BatchHarness, startBatchHarness } from "../test/batch-harness.ts";

let harness: BatchHarness;
beforeAll(async () => {
  harness = await startBatchHarness();
});
afterAll(async () => {
  await harness.close();
});

/** Buckets of its own for each test. */
let made = 0;
function buckets(): [string, string] {
  made++;
  const pair: [string, string] = [`in-${made}`, `out-${made}`];
  for (const name of pair) harness.sandbox.createBucket(name);
  return pair;
}

function fill(bucket: string, count: number, prefix = ""): void {
  for (let i = 0; i < count; i++) harness.sandbox.put(bucket, `${prefix}${String(i).padStart(5, "0")}`, `content ${i}`);
}

describe("a batch", () => {
  test("copies a prefix under another one", async () => {
    const [from, to] = buckets();
    fill(from, 3, "a/");
    fill(from, 2, "b/");
    const batch = await harness.batches.start({
      operation: "copy",
      source: { bucket: from, prefix: "a/" },
      destination: { bucket: to, prefix: "x/" },
    });
    const status = await batch.done();
    expect(status).toMatchObject({
      state: "completed",
      listed: 3,
      succeeded: 3,
      failed: 0,
      skipped: 0,
      unattempted: 0,
      bytes: 27,
    });
    expect(harness.sandbox.keys(to)).toEqual(["x/00000", "x/00001", "x/00002"]);
    expect(harness.sandbox.count(from)).toBe(5);
  });

  test("moves more than one page, with a row for each object", async () => {
    const [from, to] = buckets();
    fill(from, 2500);
    harness.sandbox.clearLog();
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
    });
    const status = await batch.done();
    expect(status).toMatchObject({ state: "completed", listed: 2500, succeeded: 2500 });
    expect(harness.sandbox.count(from)).toBe(0);
    expect(harness.sandbox.count(to)).toBe(2500);
    const rows = await all(batch.report());
    expect(rows).toHaveLength(2500);
    expect(new Set(rows.map(({ key }) => key)).size).toBe(2500);
    expect(rows[0]).toEqual({
      bucket: from,
      key: "00000",
      status: "succeeded",
      destinationBucket: to,
      destinationKey: "00000",
      bytes: 9,
      etag: rows[0]?.etag,
      verified: "etag",
    });
    const { CopyObject = 0, ...others } = harness.sandbox.counts;
    expect(CopyObject).toBe(2500);
    expect(Object.values(others).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(60); // by hundreds, not by object; a slow machine deletes in more rounds
  });

  test("deletes a prefix", async () => {
    const [from] = buckets();
    fill(from, 1200, "old/");
    fill(from, 3, "new/");
    const batch = await harness.batches.start({ operation: "delete", source: { bucket: from, prefix: "old/" } });
    expect(await batch.done()).toMatchObject({ state: "completed", listed: 1200, succeeded: 1200 });
    expect(harness.sandbox.keys(from)).toEqual(["new/00000", "new/00001", "new/00002"]);
  });
});
