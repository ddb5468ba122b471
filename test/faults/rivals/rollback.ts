import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { startStack } from "../../stack.ts";
import { createLedger, judgeRows } from "./ledger.ts";
import { numbered, type Rival } from "./encounter.ts";

/** Redis takes up an older snapshot of its own in the middle of a batch, once or twice. */
export const rollback: Rival = {
  name: "a Redis that goes back in time",
  async run({ objects }, random) {
    await using stack = await startStack({ sandbox: { logSize: 0 }, appendonly: false });
    const { sandbox, producer, redis } = stack;
    const ledger = createLedger(sandbox);
    for (const bucket of ["in", "out"]) sandbox.createBucket(bucket);
    for (const key of numbered(objects)) ledger.write("in", key);
    sandbox.fault({ kind: "latency", operation: "CopyObject", delayMs: 10 });
    await stack.startWorker();
    await stack.startWorker();
    const batch = await producer.batches.start({
      operation: "move",
      source: { bucket: "in" },
      destination: { bucket: "out" },
    });
    const moved = (): number => objects - sandbox.count("in");
    const until = async (share: number): Promise<void> => {
      while (moved() < objects * share) await sleep(10);
    };
    let at = random.between(0, 0.2);
    for (let times = random.integer(1, 2); times > 0; times--) {
      await until(at);
      const admin = new Redis(redis.url);
      await admin.save();
      admin.disconnect();
      at = Math.min(0.9, at + random.between(0.1, 0.5));
      await until(at);
      await redis.kill();
      await redis.restart();
    }
    const { listed, succeeded, state } = await batch.done();
    const account = `${state}: ${listed} listed, ${succeeded} succeeded of ${objects}`;
    return [
      ...(listed === objects && succeeded === objects ? [] : [`the account is not whole: ${account}`]),
      ...ledger.judge(["in", "out"]),
      ...(await judgeRows(sandbox, batch.report(), { to: "out" })),
    ];
  },
};
