import { Redis } from "ioredis";
import { expect, onTestFinished, test, vi } from "vitest";
import { redisKeys } from "../../redis/keys.ts";
import { startDashboardHarness } from "../../test/dashboard-harness.ts";
import { startHarness } from "../../test/harness.ts";
import { startRedis } from "../../sandbox/index.ts";

type Overview = {
  readonly queues: readonly { readonly name: string; readonly waiting: number; readonly oldestWaitingMs?: number }[];
  readonly workers: readonly Record<string, unknown>[];
  readonly warnings: readonly { readonly code: string; readonly severity: string; readonly remedy: string }[];
};

test("warns of a Redis that may lose jobs, and says what to do", async () => {
  const redis = await startRedis({ maxmemoryPolicy: "allkeys-lru" });
  const admin = new Redis(redis.url);
  await admin.config("SET", "maxmemory", "3mb");
  const dashboard = await startDashboardHarness({ redis: redis.url });
  onTestFinished(async () => {
    admin.disconnect();
    await dashboard.close();
    await redis.stop();
  });
  await admin.config(
    "SET",
    "maxmemory",
    String(Number(/used_memory:(\d+)/.exec(await admin.info("memory"))?.[1]) + 200_000),
  );
  const { warnings } = (await dashboard.send("/api/overview")).json() as unknown as Overview;
  expect(warnings.map(({ code, severity }) => `${code} ${severity}`)).toEqual([
    "eviction danger",
    "persistence warning",
    "memory danger",
  ]);
  expect(warnings[0]?.remedy).toContain("redis-cli config set maxmemory-policy noeviction");
});

test("warns of work that nobody takes, and shows who works on what", async () => {
  const harness = await startHarness({ env: { BUCKETLINE_ACTIVITIES: "head-bucket" } });
  const dashboard = await startDashboardHarness({ prefix: harness.prefix });
  onTestFinished(async () => {
    await dashboard.close();
    await harness.close();
  });
  const overview = async () => (await dashboard.send("/api/overview")).json() as unknown as Overview;
  await expect
    .poll(async () => (await overview()).workers)
    .toMatchObject([
      { activities: ["head-bucket"], concurrency: { "head-bucket": 32 }, memory: expect.any(Number), pid: process.pid },
    ]);
  await dashboard.send("/api/activities/list-objects/jobs", { method: "POST", body: { bucket: "abc" } });
  await expect
    .poll(async () => (await overview()).warnings.map(({ code }) => code), { timeout: 20_000 })
    .toContain("unattended");
  const { queues } = await overview();
  expect(queues.find(({ name }) => name === "list-objects")).toMatchObject({
    waiting: 1,
    oldestWaitingMs: expect.any(Number),
  });
  await harness.worker.close();
  await expect
    .poll(async () => (await overview()).warnings.map(({ code }) => code), { timeout: 5000 })
    .toContain("no-worker");
  expect((await overview()).workers).toEqual([]);
});

test("a dashboard whose clock is off knows who is alive and how long jobs wait, as Redis' clock has it", async () => {
  const dashboard = await startDashboardHarness();
  onTestFinished(async () => {
    vi.useRealTimers();
    await dashboard.close();
  });
  const { redis, prefix } = dashboard;
  const now = Number((await redis.time())[0]) * 1000;
  const worker = {
    id: "w",
    host: "here",
    pid: 7,
    concurrency: { "head-bucket": 8 },
    running: 1,
    seenAt: new Date(now).toISOString(),
  };
  await redis.zadd(redisKeys(prefix).workers(), now, "w");
  await redis.set(redisKeys(prefix).worker("w"), JSON.stringify(worker));
  await redis.lpush(`${prefix}:head-bucket:wait`, "1");
  await redis.hset(`${prefix}:head-bucket:1`, { timestamp: now - 3000, opts: "{}" });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 600_000 });
  const { at, workers, warnings, queues } = (await dashboard.send("/api/overview")).json() as unknown as Overview & {
    at: string;
  };
  expect(Math.abs(Date.parse(at) - now)).toBeLessThan(30_000);
  expect(workers).toMatchObject([{ host: "here" }]);
  expect(warnings.map(({ code }) => code)).not.toContain("no-worker");
  const waited = queues.find(({ name }) => name === "head-bucket")?.oldestWaitingMs;
  expect(waited).toBeGreaterThanOrEqual(3000);
  expect(waited).toBeLessThan(60_000);
  expect((await dashboard.send("/api/problems")).text).not.toContain("fell silent");
});

test("the events tell the overview every second, and end when the session does", async () => {
  const { accounts, signIn } = await import("../../test/dashboard-harness.ts");
  const known = accounts();
  const dashboard = await startDashboardHarness({ env: known.env });
  onTestFinished(() => dashboard.close());
  const cookie = await signIn(dashboard, "vic", known.password);
  const controller = new AbortController();
  const response = await fetch(`${dashboard.url}/api/events?activity=list-objects`, {
    headers: { cookie },
    signal: controller.signal,
  });
  expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
  expect(response.headers.get("content-security-policy")).toContain("default-src 'self'");
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (text.split("event: overview").length < 3) text += (await reader?.read())?.value ?? "";
  expect(text).toMatch(/^retry: 1000\n\nevent: overview\ndata: \{"at":"/);
  expect(text).toContain("event: throughput\ndata: {");
  controller.abort();
  await expect
    .poll(async () => (await dashboard.send("/metrics", { headers: known.viewer })).text)
    .toContain("bucketline_dashboard_event_streams 0");
});

test("however many follow the figures, Redis is asked as if it were one", async () => {
  const redis = await startRedis();
  const dashboard = await startDashboardHarness({ redis: redis.url });
  onTestFinished(async () => {
    await dashboard.close();
    await redis.stop();
  });
  const commands = async () =>
    Number(/total_commands_processed:(\d+)/.exec(await dashboard.redis.info("stats"))?.[1] ?? Number.NaN);
  /** What Redis is asked until the first of so many readers has seen so many overviews, for each of these. */
  const perOverview = async (readers: number, overviews = 4) => {
    const closed = new AbortController();
    const streams = await Promise.all(
      Array.from({ length: readers }, () => fetch(`${dashboard.url}/api/events`, { signal: closed.signal })),
    );
    const before = await commands();
    let seen = 0;
    for await (const bytes of streams[0]?.body ?? []) {
      seen += new TextDecoder().decode(bytes).split("event: overview").length - 1;
      if (seen >= overviews) break;
    }
    const asked = (await commands()) - before;
    closed.abort();
    return asked / overviews;
  };
  const [one, many] = [await perOverview(1), await perOverview(20)];
  expect(one).toBeLessThan(150);
  expect(many).toBeLessThan(2 * one);
});

test("the events tell the whole overview once, and then what changed of it", async () => {
  const dashboard = await startDashboardHarness();
  onTestFinished(() => dashboard.close());
  const controller = new AbortController();
  const response = await fetch(`${dashboard.url}/api/events`, { signal: controller.signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const readUntil = async (wanted: RegExp) => {
    while (!wanted.test(text)) text += (await reader?.read())?.value ?? "";
  };
  await readUntil(/event: overview-changes\n.*\n\n/);
  await dashboard.redis.lpush(`${dashboard.prefix}:head-object:wait`, "1");
  await readUntil(/event: overview-changes\ndata: .*"queues":/);
  expect(text.match(/event: overview\n/g)).toHaveLength(1);
  const changes = [...text.matchAll(/event: overview-changes\ndata: (.*)\n/g)].map(
    ([, data]) => JSON.parse(data ?? "") as Readonly<Record<string, unknown>>,
  );
  // Where nothing happens there is next to nothing to say.
  expect(Object.keys(changes[0] ?? {})).not.toContain("queues");
  expect(changes.at(-1)?.["workers"]).toBeUndefined();
  controller.abort();
});
