import type { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { birthOf } from "../../redis/health/birth.ts";
import { redisKeys } from "../../redis/keys.ts";
import { openTestRedis } from "../fixtures.ts";
import { type Harness, startHarness } from "../harness.ts";
import { type Kind, KIND_NAMES, kindOf, type Named, withAnother } from "./kinds.ts";
import { fillWorld, planBatch } from "./world.ts";

/** Whatever lies where something of ours belongs: no worker stops working over it, and what was cut short goes on when it is gone. */
let harness: Harness;
let redis: Redis;
let named: Named;

beforeAll(async () => {
  harness = await startHarness();
  redis = openTestRedis();
  named = await fillWorld(harness, redis);
}, 120_000);
afterAll(async () => {
  redis.disconnect();
  await harness.close();
});

const INPUT = { object: { bucket: "in", key: "k0" }, destination: { bucket: "out", key: "copy" } };
const QUEUE = "copy-object";
/** So long a thing that is planted stays, where something waits for it to go. */
const STAYS_MS = 1500;

/** A job that is about to run, and a batch that waits to be confirmed. */
async function prepare() {
  const job = await harness.producer.enqueue(QUEUE, INPUT, { delay: 700, attempts: 3 });
  const { timestamp, data } = await redis.hgetall(redisKeys(harness.prefix).job(QUEUE, job.id));
  const birth = birthOf({ timestamp: Number(timestamp), data: JSON.parse(data ?? "") });
  const batch = await planBatch(harness);
  return {
    job,
    batch: harness.producer.batches.get(batch),
    named: { ...named, queue: QUEUE, job: job.id, birth, batch },
  };
}

const ended = async (name: string, isEnded: () => Promise<boolean>) =>
  vi.waitFor(async () => expect([name, await isEnded()]).toEqual([name, true]), { timeout: 60_000, interval: 100 });

async function survives(of: (named: Named) => Kind, turn: number): Promise<string> {
  const { producer } = harness;
  const { job, batch, named: own } = await prepare();
  const kind = of(own);
  const what = `${kind.name} (${turn})`;
  const over = Promise.allSettled([
    job.result({ timeout: STAYS_MS }),
    batch.confirm().then(() => batch.done({ signal: AbortSignal.timeout(STAYS_MS) })),
  ]);
  // A job that lost its hash is put aside: it is not to come back.
  const stays = kind.name === "job";
  await withAnother(redis, kind, { turn, stays, run: async () => void (await over) });
  // An app does what its error told it to do.
  await batch.confirm().catch(() => {});
  await ended(`batch after ${what}`, async () =>
    ["completed", "failed", "cancelled", undefined].includes(await stateOf(batch.id)),
  );
  // BullMQ's own scripts write half where they fail, and the job is in none of its sets any more: whoever writes to Redis can lose jobs.
  if (!kind.name.startsWith("bull "))
    await ended(`job after ${what}`, async () =>
      ["completed", "failed", "cancelled", "gone"].includes(await job.state().catch(() => "gone")),
    );
  const after = await producer.enqueue(QUEUE, INPUT);
  await ended(`the next job after ${what}`, async () => (await after.state()) === "completed");
  return await after.state();
}

const stateOf = (id: string) =>
  harness.producer.batches
    .get(id)
    .status()
    .then(
      ({ state }) => state,
      () => undefined,
    );

test.each(KIND_NAMES)(
  "goes on, whatever lay where %s belongs",
  async (name) => {
    expect(await survives((own) => kindOf(harness.prefix, own, name), KIND_NAMES.indexOf(name))).toBe("completed");
  },
  120_000,
);
