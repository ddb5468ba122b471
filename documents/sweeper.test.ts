import { afterEach, beforeEach, expect, test } from "vitest";
import type { DocumentStore } from "./interface.ts";
import { s3Harness } from "./store-harness.ts";
import { startSweeper } from "./sweeper.ts";

let harness: Awaited<ReturnType<typeof s3Harness>>;
let store: DocumentStore;
let lines: string[];
const log = {
  info: (fields: object, message: string) => void lines.push(`info ${message} ${JSON.stringify(fields)}`),
  warn: (_fields: object, message: string) => void lines.push(`warn ${message}`),
};

beforeEach(async () => {
  lines = [];
  harness = await s3Harness();
  store = await harness.open({ now: () => Date.now() + 600_000 });
});
afterEach(() => harness.close());

test("sweeps at once, again and again, and says what it removed", async () => {
  await store.write("1", { name: "a", ttl: 1 });
  const past = await harness.open();
  await past.write("2", { name: "b", ttl: 1 });
  const sweeper = startSweeper(store, { everyMs: 5, log });
  await expect.poll(() => harness.stored()).toHaveLength(2);
  expect(lines[0]).toContain('info documents swept {"expired":1');
  await past.write("3", { name: "c", ttl: 1 });
  await expect.poll(() => lines.length).toBe(2);
  await sweeper.stop();
});

test("goes on after a sweep that failed", async () => {
  const past = await harness.open();
  await past.write("1", { name: "a", ttl: 1 });
  const fault = harness.sandbox.fault({ kind: "status", status: 403, code: "AccessDenied" });
  const sweeper = startSweeper(store, { everyMs: 5, log });
  await expect.poll(() => lines).toContain("warn sweeping documents failed; will try again");
  fault.remove();
  await expect.poll(() => harness.stored()).toEqual([]);
  await sweeper.stop();
});

test("stops in mid sweep, without a word of failure, and sweeps no more", async () => {
  harness.sandbox.fault({ kind: "stall", operation: "ListMultipartUploads" });
  const sweeper = startSweeper(store, { everyMs: 1, log });
  await expect.poll(() => harness.sandbox.calls("ListMultipartUploads")).toBe(1);
  await sweeper.stop();
  await sweeper.stop();
  expect(lines).toEqual([]);
  expect(harness.sandbox.calls("ListMultipartUploads")).toBe(1);
});

test("ends with its signal", async () => {
  const abort = new AbortController();
  const other = await s3Harness();
  const ended = startSweeper(store, { everyMs: 1, log, signal: abort.signal });
  const clock = startSweeper(await other.open(), { everyMs: 1, log });
  const sweeps = (of: typeof harness) => of.sandbox.calls("ListMultipartUploads");
  await expect.poll(() => sweeps(harness)).toBeGreaterThan(1);
  abort.abort();
  const [before, now] = [sweeps(harness), sweeps(other)];
  await expect.poll(() => sweeps(other)).toBeGreaterThan(now + 10);
  // One request may have been on its way.
  expect(sweeps(harness)).toBeLessThanOrEqual(before + 1);
  await Promise.all([ended.stop(), clock.stop()]);
  await other.close();
});
