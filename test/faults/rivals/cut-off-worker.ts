import { setTimeout as sleep } from "node:timers/promises";
import { startStack } from "../../stack.ts";
import { createLedger, judgeRows } from "./ledger.ts";
import { startFrontOfRedis } from "./front-of-redis.ts";
import { numbered, type Rival } from "./encounter.ts";

/** A worker hears nothing from Redis any more and keeps its store; its batch is cancelled meanwhile. */
export const cutOffWorker: Rival = {
  name: "a worker that is cut off from Redis",
  async run({ objects }, random) {
    await using stack = await startStack({ sandbox: { logSize: 0 } });
    const { sandbox, producer, redis } = stack;
    await using front = await startFrontOfRedis(redis.url);
    const ledger = createLedger(sandbox);
    for (const bucket of ["in", "out"]) sandbox.createBucket(bucket);
    for (const key of numbered(objects)) ledger.write("in", key);
    // Deletes that come again and again: the store asks for time.
    sandbox.fault({ kind: "slow-down", operation: "DeleteObjects", every: 2 });
    sandbox.fault({ kind: "latency", operation: "CopyObject", delayMs: 20 });
    await stack.startWorker({ REDIS_URL: front.url });
    const batch = await producer.batches.start({
      operation: "move",
      source: { bucket: "in" },
      destination: { bucket: "out" },
    });
    const some = Math.ceil(objects * random.between(0.1, 0.5));
    while (sandbox.count("out") < some) await sleep(20);
    front.freeze();
    await batch.cancel();
    const left = sandbox.count("in");
    const problems: string[] = [];
    // Longer than its lock lives.
    await sleep(20_000);
    if (sandbox.count("in") < left)
      problems.push(`${left - sandbox.count("in")} sources were deleted after the cancel`);
    await stack.startWorker();
    await batch.done();
    return [...problems, ...ledger.judge(["in", "out"]), ...(await judgeRows(sandbox, batch.report(), { to: "out" }))];
  },
};
