import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { createBatchStore } from "../../batches/state/store.ts";
import { openTestRedis, uniquePrefix } from "../../test/fixtures.ts";
import { readSpeeds } from "./speeds.ts";

const STEP_MS = 5000;
const SLOTS = 720;

let redis: Redis;
beforeAll(() => {
  redis = openTestRedis();
});
afterEach(() => vi.useRealTimers());
afterAll(() => redis.disconnect());

const redisNow = async () => Number((await redis.time())[0]) * 1000;

/** A batch that brought so many objects to their end in each of the two whole steps before this one, as workers note it. */
async function running(objects: number) {
  const store = createBatchStore(redis, uniquePrefix());
  const now = await redisNow();
  const slot = Math.floor(now / STEP_MS);
  const steps = [slot - 2, slot - 1].flatMap((at) => [String(at % SLOTS), `${at}:${objects}:${objects * 100}`]);
  await redis.hset(store.keys.rate("b12345678"), ...steps);
  const at = new Date(now - 600_000).toISOString();
  return { store, batch: { id: "b12345678", startedAt: at, createdAt: at } };
}

test.each([0, -300_000, 300_000])(
  "a batch is as fast as Redis' clock says, where the dashboard's is off by %i ms",
  async (offBy) => {
    const { store, batch } = await running(50);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + offBy });
    const [speed] = await readSpeeds(redis, store, [batch]);
    // 100 objects in two steps, and in the one that fills: less where the next has begun meanwhile.
    expect(speed?.objects).toBeGreaterThanOrEqual(50 / 15);
    expect(speed?.objects).toBeLessThanOrEqual(10);
    expect(speed?.bytes).toBeCloseTo((speed?.objects ?? 0) * 100);
    expect((await store.throughput(batch.id)).map(({ objects }) => objects)).toEqual([50, 50]);
  },
);

test("what was done long ago is no speed, though its place in the record is used again", async () => {
  const { store, batch } = await running(50);
  const slot = Math.floor((await redisNow()) / STEP_MS);
  const long = [0, 1, 2, 3].flatMap((step) => [String((slot + 1 - step) % SLOTS), `${slot + 1 - step - SLOTS}:9:900`]);
  await redis.hset(store.keys.rate(batch.id), ...long);
  expect(await readSpeeds(redis, store, [batch])).toEqual([{ objects: 0, bytes: 0 }]);
});
