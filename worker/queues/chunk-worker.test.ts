import { Redis } from "ioredis";
import { expect, onTestFinished, vi } from "vitest";
import { test } from "../../test/harness.ts";

const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 12_000, interval: 50 });

test(
  "lets the run of a schedule wait for its turn for as long as it takes",
  { timeout: 40_000 },
  async ({ sandbox, harness }) => {
    for (const name of ["turn-in", "turn-out"]) sandbox.createBucket(name);
    sandbox.put("turn-in", "a", "x");
    const gate = Promise.withResolvers<void>();
    sandbox.before("CopyObject", () => gate.promise);
    const { batches } = harness.producer;
    const spec = { operation: "copy", source: { bucket: "turn-in" }, destination: { bucket: "turn-out" } } as const;
    await batches.schedule("often", { every: 1000 }, spec, { overlap: "queue" });
    const redis = new Redis(harness.config.redis);
    onTestFinished(() => redis.disconnect());
    const queue = `${harness.prefix}:batch-chunk`;
    const waiting = async () => (await redis.zrange(`${queue}:delayed`, "0", "-1")).find((id) => id.endsWith("-turn"));
    await until(async () => expect(await waiting()).toBeDefined());
    const turn = (await waiting()) ?? "";
    await batches.schedules.remove("often");
    // Where BullMQ counts how often a job was started: as after hours of waiting.
    await redis.hset(`${queue}:${turn}`, "ats", 5000);
    await until(async () => expect(await redis.hget(`${queue}:${turn}`, "ats")).toBe("5002"));
    gate.resolve();
    await until(async () => {
      const { batches: ended } = await batches.list({ state: "completed" });
      expect(ended.map(({ id }) => `b-${id}-turn`)).toContain(turn);
    });
  },
);
