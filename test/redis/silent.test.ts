import { Redis } from "ioredis";
import { expect, type onTestFinished, test, vi } from "vitest";
import { createProducer } from "../../producer/index.ts";
import { startRedis } from "../../sandbox/index.ts";
import { startDashboardHarness } from "../dashboard-harness.ts";
import { type Kind, startFront } from "./front.ts";
import { observeWorker } from "./observed-worker.ts";

/** Two silences of a connection that hangs, and what a busy machine takes. Milliseconds. */
const FOUND_WITHIN_MS = 30_000;

/** Tests that wait most of their time, side by side: each ends what it started itself. */
type Ends = { readonly onTestFinished: typeof onTestFinished };

async function start({ onTestFinished }: Ends) {
  const redis = await startRedis();
  const admin = new Redis(redis.url);
  onTestFinished(async () => {
    admin.disconnect();
    await redis.stop();
  });
  return { url: redis.url, admin, front: await startFront(Number(new URL(redis.url).port), { onTestFinished }) };
}

test.concurrent("a Redis that takes connections and never answers at the start is waited for, by a worker that is not ready and by a dashboard that says so", async ({
  onTestFinished,
}) => {
  const { front } = await start({ onTestFinished });
  front.swallowNew(true);
  const worker = await observeWorker({ redis: front.url, onTestFinished });
  const dashboard = await startDashboardHarness({ redis: front.url, prefix: worker.prefix });
  onTestFinished(() => dashboard.close());
  await vi.waitFor(() => expect(worker.lines.join("")).toMatch(/Redis does not answer/), FOUND_WITHIN_MS);
  expect([await worker.probe("/readyz"), await worker.probe("/livez")]).toEqual([503, 200]);
  expect((await dashboard.send("/api/overview")).status).toBe(503);
  front.swallowNew(false);
  front.cut();
  await worker.started;
  await vi.waitFor(async () => expect(await worker.probe("/readyz")).toBe(200), FOUND_WITHIN_MS);
  await vi.waitFor(async () => expect((await dashboard.send("/api/overview")).status).toBe(200), FOUND_WITHIN_MS);
}, 120_000);

test.concurrent.for<Kind>(["blocking", "subscriber", "other"])(
  "jobs are taken, done and cancelled although a worker's connections hang without an end: %s",
  { timeout: 120_000 },
  async (kind, { onTestFinished }) => {
    const { url, front } = await start({ onTestFinished });
    const worker = await observeWorker({ redis: front.url, onTestFinished });
    await worker.started;
    const { prefix, documents, sandbox } = worker;
    const producer = createProducer({ redis: url, prefix, documents });
    onTestFinished(() => producer.close());
    sandbox.createBucket("in");
    await producer.run("head-bucket", { bucket: "in" }, { timeout: 20_000 });
    sandbox.fault({ kind: "stall", operation: "CreateBucket" });
    const stuck = await producer.enqueue("create-bucket", { bucket: "never" });
    await vi.waitFor(async () => expect(await stuck.state()).toBe("active"), 10_000);
    expect(front.hang((one) => one === kind)).toBeGreaterThan(0);
    const begun = performance.now();
    const results = [
      producer.run("head-bucket", { bucket: "in" }, { timeout: 60_000 }),
      producer.run("list-buckets", {}, { timeout: 60_000 }),
    ];
    await stuck.cancel();
    await Promise.all(results);
    await expect(stuck.result({ timeout: 60_000 })).rejects.toMatchObject({ code: "Cancelled" });
    expect(performance.now() - begun).toBeLessThan(FOUND_WITHIN_MS);
    await vi.waitFor(async () => expect(await worker.probe("/readyz")).toBe(200), FOUND_WITHIN_MS);
  },
);
