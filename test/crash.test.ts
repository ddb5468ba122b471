import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { freePort } from "../cli/free-port.ts";
import { startStack } from "./stack.ts";
import { childEnv } from "./child-env.ts";

/** Lock of 30 s, a look every 10 s, and some: what the README promises. */
const RECOVERED_WITHIN_MS = 45_000;

test("after kill -9 of a worker every accepted job ends within 45 s, each moved once", async () => {
  await using stack = await startStack();
  const { sandbox, producer } = stack;
  sandbox.createBucket("from");
  sandbox.createBucket("to");
  const keys = Array.from({ length: 60 }, (_, i) => `k${i}`);
  for (const key of keys) sandbox.put("from", key, `content of ${key}`);
  sandbox.fault({ operation: "CopyObject", kind: "latency", delayMs: 400 });
  const [victim] = await Promise.all([stack.startWorker({ BUCKETLINE_CONCURRENCY: "8" }), stack.startWorker()]);
  const inputs = keys.map((key) => ({ object: { bucket: "from", key }, destination: { bucket: "to" } }));
  const jobs = await producer.enqueueMany("move-object", inputs);
  await vi.waitFor(() => expect(sandbox.counts.CopyObject ?? 0).toBeGreaterThan(10), { timeout: 10_000, interval: 10 });
  await victim.kill();
  const killedAt = Date.now();
  const results = await Promise.all(jobs.map((job) => job.result({ timeout: RECOVERED_WITHIN_MS })));
  expect(results.every(({ success }) => success)).toBe(true);
  expect(Date.now() - killedAt).toBeLessThan(RECOVERED_WITHIN_MS);
  expect(sandbox.keys("from")).toEqual([]);
  for (const key of keys) expect(sandbox.text("to", key)).toBe(`content of ${key}`);
}, 90_000);

test("a Redis that is killed and comes back with its append-only file has lost none of 1,000 accepted jobs", async () => {
  await using stack = await startStack();
  const { sandbox, producer, redis } = stack;
  sandbox.createBucket("heads");
  sandbox.put("heads", "a", "x");
  await stack.startWorker({ BUCKETLINE_CONCURRENCY: "4" });
  const object = { bucket: "heads", key: "a" };
  const jobs = await producer.enqueueMany(
    "head-object",
    Array.from({ length: 1000 }, () => ({ object })),
  );
  await vi.waitFor(() => expect(sandbox.counts.HeadObject ?? 0).toBeGreaterThan(20), { timeout: 10_000, interval: 5 });
  await redis.kill();
  const before = sandbox.counts.HeadObject ?? 0;
  expect(before).toBeLessThan(1000);
  await redis.restart();
  const results = await Promise.all(jobs.map((job) => job.result({ timeout: 60_000 })));
  expect(results).toHaveLength(1000);
}, 120_000);

test("SIGTERM lets running jobs end, and hands over at the deadline what does not", async () => {
  await using stack = await startStack();
  const { sandbox, producer } = stack;
  sandbox.createBucket("from");
  for (const key of ["quick", "slow"]) sandbox.put("from", key, "x");
  sandbox.fault({ operation: "CopyObject", key: "to-quick", kind: "latency", delayMs: 500 });
  const stall = sandbox.fault({ operation: "CopyObject", key: "to-slow", kind: "stall" });
  const worker = await stack.startWorker({ BUCKETLINE_SHUTDOWN_TIMEOUT: "2s" });
  const copy = (key: string) =>
    producer.enqueue("copy-object", {
      object: { bucket: "from", key },
      destination: { bucket: "from", key: `to-${key}` },
    });
  const [quick, slow] = await Promise.all([copy("quick"), copy("slow")]);
  await vi.waitFor(() => expect(stall.hits).toBe(1), { timeout: 5000, interval: 10 });
  const stopping = worker.stop();
  expect((await quick.result({ timeout: 5000 })).success).toBe(true);
  await stopping;
  expect(await slow.state()).toBe("waiting");
  stall.remove();
  await stack.startWorker();
  expect((await slow.result({ timeout: 10_000 })).success).toBe(true);
}, 60_000);

test("a running job is cancelled from another process, and one that waits never runs", async () => {
  await using stack = await startStack();
  const { sandbox, producer } = stack;
  sandbox.createBucket("from");
  sandbox.put("from", "a", "x");
  const stall = sandbox.fault({ operation: "CopyObject", kind: "stall" });
  await stack.startWorker({ BUCKETLINE_CONCURRENCY: "1" });
  const input = { object: { bucket: "from", key: "a" }, destination: { bucket: "from", key: "b" } };
  const [running, waiting] = await producer.enqueueMany("copy-object", [input, input]);
  if (running === undefined || waiting === undefined) throw new Error("expected two jobs");
  await vi.waitFor(() => expect(stall.hits).toBe(1), { timeout: 5000, interval: 10 });
  expect(await waiting.cancel()).toBe(true);
  expect(await running.cancel()).toBe(true);
  await expect(running.result({ timeout: 5000 })).rejects.toMatchObject({ code: "Cancelled" });
  await expect(waiting.result({ timeout: 5000 })).rejects.toMatchObject({ code: "Cancelled" });
  expect(await running.state()).toBe("cancelled");
  expect(stall.hits).toBe(1);
}, 30_000);

test("a worker that still waits for Redis is alive, not ready, and ends when it is told to", async () => {
  const main = fileURLToPath(new URL("../worker/main.ts", import.meta.url));
  const env = { ...childEnv(), REDIS_URL: "redis://127.0.0.1:1" };
  const port = await freePort(0);
  const child = spawn(process.execPath, [main], { env: { ...env, BUCKETLINE_HEALTH_PORT: String(port) } });
  const probe = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  await vi.waitFor(async () => expect(await probe("/livez")).toBe(200), { timeout: 15_000, interval: 50 });
  expect(await probe("/readyz")).toBe(503);
  child.kill("SIGTERM");
  const [code] = (await once(child, "exit")) as [number | null];
  expect(code).toBe(0);
}, 30_000);
