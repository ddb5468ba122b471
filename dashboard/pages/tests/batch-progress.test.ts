import { expect, test } from "vitest";
import { BATCH_STATES } from "../../../batches/state/status.ts";
import type { Batch } from "../answers.ts";
import { describeBatch, shareOf, STATES, wholeOf, withoutErrors } from "../assets/core/batches/progress.js";

const batch = (fields: Partial<Batch>): Batch => ({
  id: "b1",
  state: "running",
  operation: "copy",
  sources: "kept",
  spec: { source: { bucket: "in", prefix: "" }, destination: { bucket: "out" } },
  priority: 100,
  createdAt: "2026-11-27T12:00:00.000Z",
  listed: 100,
  listedBytes: 0,
  filtered: 0,
  succeeded: 0,
  failed: 0,
  skipped: 0,
  unattempted: 0,
  bytes: 0,
  errors: {},
  requests: { list: 0, head: 0, copy: 0, delete: 0 },
  holds: [],
  objectsPerSecond: 0,
  bytesPerSecond: 0,
  ...fields,
});

test.each([
  ["cancelled half way", { state: "cancelled", succeeded: 54, unattempted: 46 }, 54],
  ["cancelled before all was listed", { state: "cancelled", total: 200, succeeded: 100 }, 50],
  ["failed before it began", { state: "failed", listed: 0 }, undefined],
  ["with nothing to do", { state: "completed", listed: 0 }, undefined],
  ["of an unknown number", { succeeded: 100 }, undefined],
  ["with all but one tried", { total: 1000, listed: 1000, succeeded: 999 }, 99],
  ["that found fewer than expected", { state: "completed", total: 120, succeeded: 98, failed: 2 }, 100],
] as const)("a batch %s is as far as it truly is", (_what, fields, share) => {
  expect(shareOf(batch(fields))).toBe(share);
});

test.each([
  [{ state: "failed" }, "stopped"],
  [{ state: "cancelled" }, "cancelled"],
  [{ state: "running" }, "so-far"],
  [{ state: "completed", listed: 0 }, "so-far"],
  [{ state: "completed", succeeded: 100 }, "clean"],
  [{ state: "completed", succeeded: 99, failed: 1 }, "later"],
] as const)("only what completed has nothing that failed: %j is %s", (fields, said) => {
  expect(withoutErrors(batch(fields))).toBe(said);
});

test("what a batch is about is never less than what it found", () => {
  expect(wholeOf(batch({ total: 10, listed: 12 }))).toBe(12);
});

test("its name and its way hide nothing that turns text around", () => {
  const source = { bucket: "in", prefix: "a\u202Eb/" };
  expect(describeBatch({ operation: "delete", spec: { source } })).toEqual({
    title: String.raw`Delete s3://in/a\u202eb/`,
    route: String.raw`s3://in/a\u202eb/`,
  });
});

test("every state can be filtered", () => {
  expect(STATES.toSorted()).toEqual([...BATCH_STATES].toSorted());
});
