import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { redisUrl, uniquePrefix } from "../../test/fixtures.ts";
import { startActivityWorker } from "../queues/activity-worker.ts";
import { createRunning, type Run } from "./running.ts";

const QUEUE = "head-object";

/** In front of Redis: after `freeze` nothing comes through any more, and no connection breaks. */
async function startProxy(): Promise<{ readonly url: string; readonly freeze: () => void }> {
  const to = new URL(redisUrl());
  let frozen = false;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(to.port), to.hostname);
    for (const [from, onto] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (bytes) => {
        if (!frozen) onto.write(bytes);
      });
      from.on("error", () => undefined);
      from.on("close", () => onto.destroy());
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  // A TCP server's address is never a string.
  const { port } = server.address() as AddressInfo;
  const url = new URL(to);
  url.host = `127.0.0.1:${port}`;
  return { url: url.href, freeze: () => void (frozen = true) };
}

/** A worker whose only job runs until something ends it. */
async function startRun(url: string, lockMs: number) {
  const prefix = uniquePrefix();
  const near = new Redis(url, { maxRetriesPerRequest: null });
  const redis = new Redis(redisUrl());
  const running = createRunning(QUEUE, lockMs);
  const started = Promise.withResolvers<Run>();
  const worker = startActivityWorker({
    queue: QUEUE,
    redis: near,
    prefix,
    concurrency: 1,
    retention: { completed: { age: 60, count: 10 }, failed: { age: 60, count: 10 } },
    log: pino({ level: "silent" }),
    trouble: () => {},
    running,
    recovery: { lockDuration: lockMs },
    process: async (job, token) => {
      const run = running.start({ jobId: job.id ?? "", token, processedOn: job.processedOn });
      started.resolve(run);
      await once(run.signal, "abort");
      running.end(job.id ?? "", run);
      throw run.signal.reason;
    },
  });
  onTestFinished(async () => {
    near.disconnect();
    await worker.close(true);
    redis.disconnect();
  });
  const queue = new Queue(QUEUE, { connection: redis, prefix });
  await queue.add(QUEUE, {}, { jobId: "j1", attempts: 1 });
  return { run: await started.promise, redis, lock: `${prefix}:${QUEUE}:j1:lock` };
}

test("a run whose lock is lost ends", async () => {
  const { run, redis, lock } = await startRun(redisUrl(), 600);
  await redis.set(lock, "another worker's");
  await once(run.signal, "abort");
  expect(run.signal.reason).toMatchObject({ code: "LockLost", message: expect.stringContaining("runs elsewhere") });
});

test("a run goes on for as long as its lock is renewed", async () => {
  const { run } = await startRun(redisUrl(), 400);
  const started = performance.now();
  await expect.poll(() => performance.now() - started, { interval: 50, timeout: 5000 }).toBeGreaterThan(1600);
  expect([run.signal.aborted, run.deadline.deletes.aborted]).toEqual([false, false]);
});

test("a run that is cut off from Redis stops to delete, and then ends, although no renewal was refused", async () => {
  const proxy = await startProxy();
  const { run } = await startRun(proxy.url, 800);
  proxy.freeze();
  await once(run.deadline.deletes, "abort");
  expect(run.deadline.mayDelete()).toBe(false);
  await once(run.signal, "abort");
  expect(run.signal.reason).toMatchObject({ code: "LockLost", message: expect.stringContaining("no renewal") });
});
