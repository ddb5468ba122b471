import { Queue } from "bullmq";
import { expect, vi } from "vitest";
import { redisKeys } from "../redis/keys.ts";
import type { DashboardHarness } from "./dashboard-harness.ts";
import type { Harness } from "./harness.ts";

type Ends = { readonly harness: Harness; readonly dashboard: DashboardHarness };

/** Does once whatever asks Redis for something: jobs in every state, batches, schedules, and all pages of the dashboard. */
export async function doEverything(ends: Ends): Promise<void> {
  const { sandbox } = ends.harness;
  for (const bucket of ["in", "out"]) sandbox.createBucket(bucket);
  for (let n = 0; n < 20; n++) sandbox.put("in", `k${n}`, `content ${n}`);
  await doJobs(ends);
  await doBatches(ends);
  await doSchedules(ends);
  await doPages(ends);
}

async function doJobs({ harness }: Ends): Promise<void> {
  const { producer, run, sandbox } = harness;
  const object = { bucket: "in", key: "k0" };
  expect(await run("list-objects", { bucket: "in" })).toMatchObject({ count: 20 });
  expect(await run("copy-object", { object, destination: { bucket: "out" } })).toMatchObject({ success: true });
  expect(await run("move-object", { object, destination: { bucket: "out", key: "moved" } })).toMatchObject({
    success: true,
  });
  const input = { bucket: "in" };
  const once = { idempotencyKey: "once", delay: 3_600_000 };
  const first = await producer.enqueue("head-bucket", input, once);
  expect((await producer.enqueue("head-bucket", input, once)).id).toBe(first.id);
  expect(await first.cancel()).toBe(true);
  expect(await first.state()).toBe("cancelled");
  await expect(run("head-bucket", { bucket: "absent" })).rejects.toMatchObject({ code: "NoSuchBucket" });
  const urgent = await producer.enqueueMany("head-bucket", [input, input], { priority: 1 });
  await Promise.all(urgent.map((job) => job.result({ timeout: 30_000 })));
  sandbox.fault({ kind: "stall", key: "slow" });
  sandbox.put("in", "slow", "slow");
  const slow = await producer.enqueue("head-object", { object: { bucket: "in", key: "slow" } });
  await vi.waitFor(async () => expect(await slow.state()).toBe("active"), 20_000);
  await slow.cancel();
  await expect(slow.result({ timeout: 30_000 })).rejects.toMatchObject({ code: "Cancelled" });
  sandbox.clearFaults();
}

async function doBatches({ harness }: Ends): Promise<void> {
  const { producer, sandbox } = harness;
  const [source, destination] = [{ bucket: "in" }, { bucket: "out", prefix: "b/" }];
  const plan = await producer.batches.start({ operation: "copy", source, destination, dryRun: true });
  expect(await plan.done()).toMatchObject({ state: "planned" });
  await plan.confirm();
  expect(await plan.done()).toMatchObject({ state: "completed", failed: 0 });
  const steered = await producer.batches.start({
    operation: "move",
    source,
    destination,
    onConflict: "fail",
    maxObjectsPerSecond: 5,
  });
  await steered.pause();
  await vi.waitFor(async () => expect((await steered.status()).state).toBe("paused"), 20_000);
  await steered.setPriority(3);
  await steered.setRate(20);
  await steered.resume();
  await steered.cancel();
  expect(await steered.done()).toMatchObject({ state: "cancelled" });
  const items = [{ bucket: "in", key: "late" }];
  const failing = await producer.batches.start({ operation: "copy", source: { items }, destination });
  expect(await failing.done()).toMatchObject({ failed: 1 });
  sandbox.put("in", "late", "late");
  expect(await (await failing.retryFailed()).done()).toMatchObject({ succeeded: 1 });
  expect(await failing.recentFailures()).toHaveLength(1);
  await failing.throughput();
  expect((await producer.batches.list()).batches).toHaveLength(4);
}

async function doSchedules({ harness }: Ends): Promise<void> {
  const { producer } = harness;
  await producer.schedule("s", { every: "1h" }, "head-bucket", { bucket: "in" });
  expect(await producer.schedules.list()).toHaveLength(1);
  await producer.schedules.remove("s");
  const items = [{ bucket: "in", key: "none" }];
  await producer.batches.schedule(
    "s",
    { every: "1h" },
    { operation: "delete", source: { items } },
    { overlap: "queue" },
  );
  expect(await producer.batches.schedules.list()).toHaveLength(1);
  await producer.batches.schedules.remove("s");
}

const PAGES = [
  "/api/overview",
  "/api/throughput?range=15m",
  "/api/jobs?id=none",
  "/api/jobs/head-bucket?state=failed",
  "/api/batches",
  "/api/quarantine",
  "/metrics",
  "/queues/api/queues?activeQueue=head-bucket&status=latest&page=1&jobsPerPage=10",
  "/queues/api/redis/stats",
] as const;

async function doPages({ harness, dashboard }: Ends): Promise<void> {
  for (const page of PAGES) expect([page, (await dashboard.send(page)).status]).toEqual([page, 200]);
  const { json } = await dashboard.send("/api/activities/head-bucket/jobs", {
    method: "POST",
    body: { bucket: "absent" },
  });
  const job = `/api/jobs/head-bucket/${String(json()["id"])}`;
  expect((await dashboard.send(`${job}/wait?timeout=20`)).json()).toMatchObject({ state: "failed" });
  harness.sandbox.createBucket("absent");
  expect((await dashboard.send(`${job}/retry`, { method: "POST" })).status).toBe(202);
  expect((await dashboard.send(`${job}/wait?timeout=20`)).json()).toMatchObject({ state: "completed" });
  const events = await fetch(`${dashboard.url}/api/events`);
  for await (const bytes of events.body ?? []) if (new TextDecoder().decode(bytes).includes("overview")) break;
  await putAsideMalformed(harness, dashboard);
}

/** A job that nobody can read is put aside. */
async function putAsideMalformed({ prefix }: Harness, { redis, send }: DashboardHarness): Promise<void> {
  const keys = redisKeys(prefix);
  const queue = new Queue("list-buckets", { connection: redis, prefix });
  await redis.hset(keys.job("list-buckets", "torn"), { data: '{"a":', name: "x", opts: "{}", timestamp: "1" });
  await redis.lpush(keys.job("list-buckets", "wait"), "torn");
  await redis.zadd(keys.job("list-buckets", "marker"), 0, "0");
  await vi.waitFor(async () => expect((await send("/api/quarantine")).text).toContain("torn"), 30_000);
  expect((await send("/api/quarantine/list-buckets/torn", { method: "DELETE" })).status).toBeLessThan(300);
  await queue.close();
}
