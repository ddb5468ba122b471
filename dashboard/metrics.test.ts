import { VERSION } from "../model/version.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DashboardHarness, startDashboardHarness } from "../test/dashboard-harness.ts";
import { startRedis } from "../sandbox/index.ts";

let dashboard: DashboardHarness;
beforeAll(async () => {
  dashboard = await startDashboardHarness();
});
afterAll(() => dashboard.close());

const scrape = async (from = dashboard) => (await from.send("/metrics")).text;

test("what is exposed is what Prometheus takes: valid names, one HELP and TYPE each, no sample twice, units in names", async () => {
  await dashboard.send("/api/activities/list-buckets/jobs", { method: "POST", body: {} });
  const answer = await dashboard.send("/metrics");
  expect(answer.text).toContain(`bucketline_build_info{version="${VERSION}",`);
  expect((await dashboard.send("/api/overview")).json()).toMatchObject({ version: VERSION });
  expect(answer.headers["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = answer.text.split("\n").filter((line) => line !== "");
  const help = lines.flatMap((line) => /^# HELP (\S+) \S/.exec(line)?.[1] ?? []);
  const types = new Map(
    lines.flatMap((line) =>
      /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line)
        ? [line.split(" ").slice(2, 4) as [string, string]]
        : [],
    ),
  );
  expect(new Set(help).size).toBe(help.length);
  expect([...types.keys()].toSorted()).toEqual(help.toSorted());
  const samples = lines.filter((line) => !line.startsWith("#"));
  const series = samples.map((line) => line.replace(/ \S+$/, ""));
  expect(new Set(series).size).toBe(series.length);
  for (const line of samples) {
    expect(line).toMatch(
      /^[a-z_:][a-z0-9_:]*(\{([a-z_][a-z0-9_]*="(?:[^"\\\n]|\\.)*",?)*\})? (?:[-+.\de]+|NaN|[-+]Inf)$/i,
    );
    const [name = ""] = line.split(/[{ ]/, 1);
    expect([name, types.has(name) || types.has(name.replace(/_(bucket|sum|count)$/, ""))]).toEqual([name, true]);
  }
  for (const [name, type] of types) {
    expect([name, /^(bucketline_|process_|nodejs_)/.test(name)]).toEqual([name, true]);
    // https://prometheus.io/docs/practices/naming/
    expect([name, name.startsWith("bucketline_") && type === "counter" ? name.endsWith("_total") : true]).toEqual([
      name,
      true,
    ]);
    expect([name, /_(ms|millis|milliseconds|kb|mb|minutes)(_|$)/.test(name)]).toEqual([name, false]);
  }
});

test("the gauges say what is in Redis", async () => {
  const own = await startDashboardHarness();
  try {
    await own.send("/api/activities/head-bucket/jobs", { method: "POST", body: { bucket: "abc" } });
    await own.send("/api/activities/head-bucket/jobs?delay=3600000", { method: "POST", body: { bucket: "abc" } });
    await own.send("/api/documents?name=a", { method: "POST", body: "12345" });
    await own.redis.hset(`${own.prefix}:~quarantine`, "list-objects/x", "{}");
    await own.send("/api/batches", { method: "POST", body: { operation: "delete", source: { bucket: "abc" } } });
    const text = await scrape(own);
    for (const line of [
      'bucketline_queue_jobs{activity="head-bucket",state="waiting"} 1',
      'bucketline_queue_jobs{activity="head-bucket",state="delayed"} 1',
      'bucketline_queue_jobs{activity="list-objects",state="waiting"} 0',
      'bucketline_workers{activity="head-bucket"} 0',
      "bucketline_redis_up 1",
      "bucketline_redis_eviction_disabled 1",
      "bucketline_quarantined_jobs 1",
      "bucketline_documents 1",
      "bucketline_documents_bytes 5",
      'bucketline_active_batches{state="running"} 1',
      'bucketline_dashboard_http_requests_total{method="POST",route="/api/activities/head-bucket/jobs",status="202"} 2',
    ])
      expect(text.split("\n")).toContain(line);
    const [, age] = /bucketline_queue_oldest_job_age_seconds\{activity="head-bucket"\} (\S+)/.exec(text) ?? [];
    expect(Number(age)).toBeGreaterThan(0);
    expect(Number(age)).toBeLessThan(60);
  } finally {
    await own.close();
  }
});

test("many scrapes at once cost Redis one look", async () => {
  const redis = await startRedis();
  const own = await startDashboardHarness({ redis: redis.url });
  try {
    const evals = async () => Number(/cmdstat_eval:calls=(\d+)/.exec(await own.redis.info("commandstats"))?.[1] ?? 0);
    await Promise.all(Array.from({ length: 20 }, () => scrape(own)));
    // One script for each of the fifteen queues and one for all batches, once; on a slow machine the first look may be too old for the last scrape.
    expect(await evals()).toBeLessThanOrEqual(2 * 16);
  } finally {
    await own.close();
    await redis.stop();
  }
});

test("where Redis is gone the dashboard says so, everywhere, and comes back with it", async () => {
  const redis = await startRedis();
  const own = await startDashboardHarness({ redis: redis.url });
  try {
    expect((await own.send("/api/overview")).status).toBe(200);
    await redis.kill();
    await expect
      .poll(async () => (await scrape(own)).includes("bucketline_redis_up 0"), { timeout: 15_000 })
      .toBe(true);
    expect(await scrape(own)).not.toMatch(/^bucketline_queue_jobs\{/m);
    const lost = await own.send("/api/overview");
    expect([lost.status, lost.json()["code"], lost.headers["retry-after"]]).toEqual([503, "RedisUnavailable", "2"]);
    expect((await own.send("/")).status).toBe(200);
    await redis.restart();
    await expect.poll(async () => (await own.send("/api/overview")).status, { timeout: 15_000 }).toBe(200);
    expect(own.logged()).toContain("Redis answers again");
  } finally {
    await own.close();
    await redis.stop();
  }
}, 60_000);
