import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { Redis, type RedisOptions } from "ioredis";
import { expect, onTestFinished, test, vi } from "vitest";
import { createProducer } from "../../producer/index.ts";
import { redisKeys } from "../../redis/keys.ts";
import { startRedis } from "../../sandbox/index.ts";
import { redisUrl, uniquePrefix } from "../fixtures.ts";
import { observeWorker } from "./observed-worker.ts";

/** How apps set instances up that they have for other things than waiting for work. */
const HABITS = {
  maxRetriesPerRequest: 3,
  lazyConnect: true,
  commandTimeout: 400,
  retryStrategy: () => null,
  enableReadyCheck: false,
  enableOfflineQueue: false,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  enableAutoPipelining: true,
  stringNumbers: true,
  connectionName: "the app's",
} as const satisfies RedisOptions;

function instanceOf(url: string, options: RedisOptions): Redis {
  const { hostname, port } = new URL(url);
  const instance = new Redis({ ...options, host: hostname, port: Number(port), replyMapping: "legacy" });
  instance.on("error", () => {}); // it does not try again, as it was told
  onTestFinished(() => instance.disconnect());
  return instance;
}

test("a worker that is given an app's instance takes where it leads, and none of its habits", async () => {
  const redis = await startRedis();
  const admin = new Redis(redis.url);
  onTestFinished(async () => {
    admin.disconnect();
    await redis.stop();
  });
  const worker = await observeWorker({ redis: instanceOf(redis.url, HABITS) });
  await worker.started;
  const { prefix, documents, sandbox } = worker;
  const producer = createProducer({ redis: redis.url, prefix, documents });
  onTestFinished(() => producer.close());
  for (const bucket of ["in", "out"]) sandbox.createBucket(bucket);
  for (const key of ["a", "b", "c"]) sandbox.put("in", key, key);
  const [source, destination] = [{ bucket: "in" }, { bucket: "out" }];
  const works = async () => {
    await producer.run("head-bucket", source, { timeout: 20_000 });
    const batch = await producer.batches.start({ operation: "copy", source, destination });
    expect(await batch.done()).toMatchObject({ succeeded: 3 });
  };
  await works();
  // Longer than a command of the app's may take: it waits for work.
  await new Promise((resolve) => setTimeout(resolve, 2 * HABITS.commandTimeout));
  await works();
  await admin.call("CLIENT", "KILL", "SKIPME", "yes"); // all but its own
  await works();
  const channel = redisKeys(prefix).cancelChannel();
  await vi.waitFor(async () => expect(await admin.pubsub("NUMSUB", channel)).toEqual([channel, 1]), 10_000);
  expect(await worker.probe("/readyz")).toBe(200);
  expect(worker.lines.filter((line) => line.includes("timed out"))).toEqual([]);
}, 120_000);

test("an instance with a keyPrefix is refused by a producer and by a worker, which say what to set", async () => {
  const instance = instanceOf(redisUrl(), { keyPrefix: "app:", lazyConnect: true });
  const said = /^InvalidInput: redis: expected no keyPrefix; set the option `prefix`/;
  expect(() => createProducer({ redis: instance })).toThrow(said);
  const { started } = await observeWorker({ redis: instance });
  await expect(started).rejects.toThrow(said);
});

test("an app whose instance pipelines by itself and reads numbers as text starts a batch, waits for a job, cancels another, and its process lives", async () => {
  const prefix = uniquePrefix();
  const worker = await observeWorker({ redis: redisUrl(), prefix });
  await worker.started;
  worker.sandbox.createBucket("in");
  const modules = { producer: "../../producer/index.ts", ioredis: import.meta.resolve("ioredis") };
  const script = `
    import { Redis } from "${modules.ioredis}";
    import { createProducer } from "${new URL(modules.producer, import.meta.url).href}";
    const redis = new Redis("${redisUrl()}", { enableAutoPipelining: true, stringNumbers: true });
    const producer = createProducer({ redis, prefix: "${prefix}", documents: "${worker.documents}" });
    await producer.run("head-bucket", { bucket: "in" }, { timeout: 30_000 });
    const batch = await producer.batches.start({ operation: "delete", source: { bucket: "in" }, dryRun: true });
    const { state } = await batch.status();
    const job = await producer.enqueue("head-bucket", { bucket: "in" }, { delay: 60_000, idempotencyKey: "a" });
    console.log("cancelled", await job.cancel(), "batch", typeof state);
    await producer.close();
    redis.disconnect();`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  expect([errors, output.trim(), code]).toEqual(["", "cancelled true batch string", 0]);
}, 60_000);
