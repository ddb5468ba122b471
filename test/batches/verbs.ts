import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { all, type BatchHarness, startBatchHarness } from "../batch-harness.ts";

/** A harness for all tests of a file, whose faults and hooks end with each test. `at` gives it once they run. */
export function useBatchHarness(): { readonly at: () => BatchHarness } {
  let harness: BatchHarness | undefined;
  const at = (): BatchHarness => {
    if (harness === undefined) throw new Error("expected to be asked by a test");
    return harness;
  };
  beforeAll(async () => {
    harness = await startBatchHarness();
  });
  afterEach(() => {
    at().sandbox.clearFaults();
    at().sandbox.clearHooks();
  });
  afterAll(() => at().close());
  return { at };
}

let made = 0;
/** Two buckets; the first holds `count` objects, `k00000` and on, each with its number as content. */
export function fillBuckets({ sandbox }: BatchHarness, count: number): [from: string, to: string] {
  made++;
  const pair: [string, string] = [`f-${made}-in`, `f-${made}-out`];
  for (const name of pair) sandbox.createBucket(name);
  for (let i = 0; i < count; i++) sandbox.put(pair[0], `k${String(i).padStart(5, "0")}`, `${i}`);
  return pair;
}

/** Every object of a batch that moves is at exactly one place, and its row says which. */
export async function expectTruth(
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
