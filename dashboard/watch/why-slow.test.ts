import { expect, test } from "vitest";
import type { BatchStatus } from "../../batches/state/status.ts";
import { type Crowd, holdsOf } from "./why-slow.ts";

const AT = "2026-11-27T03:12:00.000Z";
const running = (more: object = {}) => ({ id: "one", state: "running", spec: {}, ...more }) as unknown as BatchStatus; // what the reasons are read from
const crowd = (more: Partial<Crowd> = {}): Crowd => ({
  slots: 4,
  queuePaused: false,
  busy: new Map([["one", 1]]),
  ...more,
});
const words = (...given: Parameters<typeof holdsOf>) => holdsOf(...given).map(({ message }) => message);

test("says of a slow batch why it is slow, and nothing of one that goes as fast as it can", () => {
  expect(words(running(), 500, crowd())).toEqual([]);
  expect(words(running({ spec: { maxObjectsPerSecond: 12 } }), 11.8, crowd())).toEqual(["limited to 12/s"]);
  expect(words(running({ spec: { maxObjectsPerSecond: 1200 } }), 30, crowd())).toEqual([]);
  expect(words(running({ trouble: { code: "SlowDown", at: AT } }), 1, crowd())).toEqual([
    "the store throttles (SlowDown)",
  ]);
  expect(words(running(), 0, crowd({ slots: 0 }))).toEqual(["no worker takes batches"]);
  expect(words(running(), 0, crowd({ queuePaused: true }))).toEqual(["the queue of batches is paused"]);
  expect(holdsOf(running({ state: "paused", pausedAt: AT }), 0, crowd())).toEqual([
    { code: "paused", message: "paused", since: AT },
  ]);
  expect(words(running({ state: "completed" }), 0, crowd({ slots: 0 }))).toEqual([]);
});

test("counts the batches that have the slots, where one waits for a slot", () => {
  const others = new Map(Array.from({ length: 50 }, (_, index) => [`other-${index}`, 1]));
  expect(words(running(), 0, crowd({ busy: others, slots: 12 }))).toEqual(["waits for a slot behind 50 batches"]);
  // A free slot is there: its next chunk is on its way.
  expect(words(running(), 0, crowd({ busy: new Map([["other", 1]]) }))).toEqual([]);
});
