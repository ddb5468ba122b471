import { Redis } from "ioredis";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type RedisServer, startRedis } from "../sandbox/index.ts";
import { all, type BatchHarness, type BatchHarnessOptions, startBatchHarness } from "../test/batch-harness.ts";

/*
 * A Redis that takes up an older snapshot of its own: what a replica without the last second does, or a restored backup.
 */
let server: RedisServer;
let harness: BatchHarness;
afterEach(async () => {
  await harness.close();
  await server.stop();
});

const anHourAgo = (): Date => new Date(Date.now() - 3_600_000);
const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 60_000, interval: 5 });
const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `k${String(i).padStart(5, "0")}`);

async function start(keys: readonly string[], options: BatchHarnessOptions = {}): Promise<void> {
  server = await startRedis();
  harness = await startBatchHarness({ redis: server.url, workers: 0, ...options });
  for (const bucket of ["in", "out"]) harness.sandbox.createBucket(bucket);
  for (const key of keys) harness.sandbox.put("in", key, `content of ${key}`, { lastModified: anHourAgo() });
}

async function snapshot(): Promise<void> {
  const redis = new Redis(server.url);
  try {
    await redis.save();
  } finally {
    redis.disconnect();
  }
}

const left = (): number => harness.sandbox.count("in");

async function goBack(): Promise<void> {
  await server.kill();
  await server.restart();
}

describe("a Redis that goes back in time", { timeout: 120_000 }, () => {
  test.each(["move", "delete"] as const)("makes the account of a %s over a prefix no shorter", async (operation) => {
    const keys = numbered(3000);
    await start(keys);
    harness.sandbox.fault({ kind: "latency", operation: "DeleteObjects", bucket: "in", delayMs: 50 });
    // One chunk after the other.
    harness.addWorker({ concurrency: 1 });
    const to = operation === "move" ? { destination: { bucket: "out" } } : {};
    const batch = await harness.batches.start({ operation, source: { bucket: "in" }, ...to });
    await until(() => expect(left()).toBeLessThan(keys.length));
    await snapshot();
    // By then a chunk was taken on of which the snapshot knows nothing.
    await until(() => expect(left()).toBeLessThan(900));
    await goBack();
    const ended = await batch.done();
    expect(ended).toMatchObject({ state: "completed", listed: keys.length, succeeded: keys.length });
    expect(ended.note).toMatch(/went back in time: \d+ chunks/);
    const rows = await all(batch.report());
    expect(rows.map(({ key }) => key).toSorted()).toEqual(keys);
    expect([left(), harness.sandbox.count("out")]).toEqual([0, operation === "move" ? keys.length : 0]);
  });

  test.each([
    ["overwrite", "looked at as it was copied", {}],
    ["skip", "looked at as it was copied", {}],
    ["skip", "copied in parts", { connection: { multipartThreshold: 1 } }],
  ] as const)("makes no failure of a move (%s) whose object was %s", async (onConflict, how, options) => {
    const keys = numbered(50);
    await start(keys, options);
    const source = how === "copied in parts" ? { bucket: "in" } : { items: keys.map((key) => ({ bucket: "in", key })) };
    const batch = await harness.batches.start({
      operation: "move",
      source,
      destination: { bucket: "out" },
      onConflict,
    });
    await snapshot();
    harness.addWorker();
    await batch.done();
    await goBack();
    const ended = await batch.done();
    expect(ended.errors).toEqual({});
    expect(ended).toMatchObject({ state: "completed", listed: keys.length, succeeded: keys.length });
    expect([left(), harness.sandbox.count("out")]).toEqual([0, keys.length]);
  });
});
