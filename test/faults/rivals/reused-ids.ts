import { setTimeout as sleep } from "node:timers/promises";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { startStack } from "../../stack.ts";
import { createLedger } from "./ledger.ts";
import { numbered, type Rival } from "./encounter.ts";

/** For so long a job may take, in ms. */
const PATIENCE_MS = 60_000;

/** An app that names its jobs itself uses each id again as soon as its job is gone. */
export const reusedIds: Rival = {
  name: "ids of jobs that come again",
  async run({ objects }, random) {
    await using stack = await startStack({ sandbox: { logSize: 0 } });
    const { sandbox, redis, prefix } = stack;
    const ledger = createLedger(sandbox);
    for (const bucket of ["in", "out"]) sandbox.createBucket(bucket);
    const keys = numbered(Math.min(objects, 200));
    for (const key of keys) ledger.write("in", key);
    await stack.startWorker();
    const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
    const queue = new Queue("move-object", { connection, prefix });
    const problems: string[] = [];
    const lane = async (id: string, own: readonly string[]): Promise<void> => {
      for (const key of own) {
        const data = { object: { bucket: "in", key }, destination: { bucket: "out" } };
        await queue.add("move-object", data, { jobId: id, removeOnComplete: true, removeOnFail: true });
        const until = Date.now() + PATIENCE_MS;
        while ((await queue.getJob(id)) !== undefined && Date.now() < until) await sleep(10);
        if (sandbox.text("in", key) !== undefined) problems.push(`${key} was not moved by the job ${id} that named it`);
        if (sandbox.text("out", key) === undefined) problems.push(`${key} is not at its destination`);
      }
    };
    const ids = ["daily", "hourly", "x", "y"];
    const shuffled = random.sample(keys, keys.length);
    await Promise.all(
      ids.map((id, at) =>
        lane(
          id,
          shuffled.filter((_, index) => index % ids.length === at),
        ),
      ),
    );
    await queue.close();
    connection.disconnect();
    return [...problems, ...ledger.judge(["in", "out"])];
  },
};
