import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { BatchHandle } from "../batches/handle.ts";
import { redisKeys } from "../redis/keys.ts";
import { findChromium, openPage, startBrowser, type WatchedPage } from "../test/browser.ts";
import { type DashboardHarness, startDashboardHarness } from "../test/dashboard-harness.ts";
import { type Harness, startHarness } from "../test/harness.ts";
import type { BatchView } from "./watch/batch-views.ts";
import type { Overview } from "./watch/overview.ts";

const possible = findChromium() !== undefined || process.env["CI"] !== undefined;
const BATCHES = 20;
const OBJECTS = 12;
/** What chunks did is told once a second, and looked at as often. */
const LATE_MS = 2500;
/** The speed that is shown is that of the last two whole steps of the record, and of the one that is filling. */
const STEP_MS = 5000;
const SLOW = { timeout: 60_000, interval: 100 };

// As in pages.browser.test.ts, which says so where it is skipped.
describe.runIf(possible)("what page, API and metrics show of 20 batches that share four slots, and of jobs", () => {
  let harness: Harness;
  let dashboard: DashboardHarness;
  let browser: Browser;
  let watched: WatchedPage;
  let page: Page;

  beforeAll(async () => {
    harness = await startHarness({
      sandbox: { logSize: 20_000 },
      env: { BUCKETLINE_CONCURRENCY: "batches=4,head-object=1" },
    });
    dashboard = await startDashboardHarness({ prefix: harness.prefix, documentsUrl: harness.config.documentsUrl });
    browser = await startBrowser();
    watched = await openPage(browser, dashboard.url);
    ({ page } = watched);
    for (const bucket of ["in", "out"]) harness.sandbox.createBucket(bucket);
    for (let i = 0; i < OBJECTS; i++) harness.sandbox.put("in", `k/${i}`, "x".repeat(100 + i));
  });
  afterAll(async () => {
    expect(watched.problems).toEqual([]);
    await browser.close();
    await dashboard.close();
    await harness.close();
  });

  const json = async <Answer>(path: string) => (await dashboard.send(path)).json() as unknown as Answer; // the routes' own types
  const view = ({ id }: BatchHandle) => json<BatchView>(`/api/batches/${id}`);
  const metric = (text: string, name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);

  /** Copies of one batch that the store answered with success, up to a moment. */
  const copied = (index: number, until = Infinity) =>
    harness.sandbox.log.filter(
      ({ operation, key, status, at }) =>
        operation === "CopyObject" && status === 200 && key.startsWith(`${index}/`) && at <= until,
    ).length;

  /** 20 batches that are held to a rate. In each, one copy is refused, and one is answered at its second attempt; the SDK repeats some by itself. */
  function startAll(): Promise<BatchHandle[]> {
    const { sandbox, producer } = harness;
    sandbox.clearLog();
    sandbox.fault({ kind: "status", operation: "CopyObject", key: /\/7$/, status: 403, code: "AccessDenied" });
    for (let i = 0; i < BATCHES; i++)
      sandbox.fault({
        kind: "status",
        operation: "CopyObject",
        key: `${i}/9`,
        status: 500,
        code: "InternalError",
        times: 1,
      });
    return Promise.all(
      Array.from({ length: BATCHES }, (_, i) =>
        producer.batches.start({
          operation: "copy",
          source: { bucket: "in", prefix: "k/" },
          destination: { bucket: "out", prefix: `${i}/` },
          maxObjectsPerSecond: 6,
          label: `Batch ${i}`,
        }),
      ),
    );
  }

  /** What is shown lies between what the store had answered a moment ago and now. */
  async function expectBetween(started: readonly BatchHandle[]): Promise<void> {
    for (const [index, batch] of started.entries()) {
      const asked = Date.now();
      const shown = await view(batch);
      const [least, most] = [copied(index, asked - LATE_MS), copied(index)];
      expect([index, shown.succeeded >= least, shown.succeeded <= most]).toEqual([index, true, true]);
      if (shown.state !== "running") continue;
      const start = Math.max(Math.floor(asked / STEP_MS) * STEP_MS - 2 * STEP_MS, Date.parse(shown.startedAt ?? ""));
      const ended = (shown.objectsPerSecond * Math.max(1000, asked - start)) / 1000;
      const [few, many] = [least - copied(index, start + LATE_MS), most - copied(index, start - LATE_MS)];
      // A refused one came to its end, too; and an answer takes a moment.
      expect([index, ended >= few * 0.9 - 1, ended <= (many + 1) * 1.1]).toEqual([index, true, true]);
    }
    const running = await dashboard.send("/metrics");
    const done = metric(running.text, 'bucketline_active_batch_objects\\{outcome="succeeded"\\}');
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThanOrEqual(Array.from({ length: BATCHES }, (_, i) => copied(i)).reduce((a, b) => a + b, 0));
  }

  /** Each batch against the objects that are there, and its record. */
  async function expectCounted(started: readonly BatchHandle[], views: readonly BatchView[]): Promise<void> {
    for (const [index, shown] of views.entries()) {
      expect(shown).toMatchObject({
        state: "completed",
        listed: OBJECTS,
        succeeded: copied(index),
        failed: 1,
        skipped: 0,
      });
      expect(shown.succeeded).toBe(harness.sandbox.keys("out").filter((key) => key.startsWith(`${index}/`)).length);
      const record = await started[index]?.throughput();
      expect(record?.reduce((total, { objects }) => total + objects, 0)).toBe(OBJECTS);
      expect(record?.reduce((total, { bytes }) => total + bytes, 0)).toBe(shown.bytes);
    }
  }

  /** Requests of all against the store's own count: nobody else asked it for anything. */
  function expectRequests(views: readonly BatchView[]): void {
    const { sandbox } = harness;
    const sum = (of: (one: BatchView) => number) => views.reduce((total, one) => total + of(one), 0);
    const { CopyObject = 0, ListObjectsV2 = 0 } = sandbox.counts;
    expect([sum(({ requests }) => requests.copy), sum(({ requests }) => requests.list)]).toEqual([
      CopyObject,
      ListObjectsV2,
    ]);
    expect(sum(({ requests: { list, head, copy, delete: deletes } }) => list + head + copy + deletes)).toBe(
      sandbox.calls(),
    );
    const looks = Object.entries(sandbox.counts).filter(([name]) => /^(Head|Get(?!Object$))/.test(name));
    expect(sum(({ requests }) => requests.head)).toBe(looks.reduce((total, [, calls]) => total + calls, 0));
  }

  /** As people read it. */
  async function expectRead(first: BatchView | undefined): Promise<void> {
    const rows = page.locator(".batch-row");
    await expect.poll(() => rows.getByText("completed").count(), SLOW).toBe(BATCHES);
    expect(new Set(await page.locator(".batch-row .line > span:first-child").allTextContents())).toEqual(
      new Set([`${OBJECTS} of ${OBJECTS}`]),
    );
    await page.goto(`/batches/${first?.id}`);
    await page.getByText("100%", { exact: true }).waitFor();
    const { list = 0, head = 0, copy = 0 } = first?.requests ?? {};
    await page.getByText(`${list} list, ${head} head, ${copy} copy, 0 delete`).waitFor();
    await page.locator("dt:text-is('Succeeded') + dd", { hasText: String(OBJECTS - 1) }).waitFor();
    await page.locator("dt:text-is('Failed') + dd", { hasText: "1" }).first().waitFor();
  }

  test("is what the store and Redis counted: speed, record, requests, counts, percentages, states", async () => {
    const started = await startAll();
    await page.goto("/batches");
    await vi.waitUntil(() => harness.sandbox.calls("CopyObject") > BATCHES * 5, SLOW);
    await expectBetween(started);
    await Promise.all(started.map((batch) => batch.done()));
    const views = await Promise.all(started.map(view));
    await expectCounted(started, views);
    expectRequests(views);
    const { text } = await dashboard.send("/metrics");
    expect(metric(text, 'bucketline_batches_ended_total\\{state="completed"\\}')).toBe(BATCHES);
    await expectRead(views[0]);
    harness.sandbox.clearFaults();
  }, 120_000);

  /** Counts, and the age: since the job was due, a second after it was asked for. */
  async function expectAge(row: Locator, asked: number): Promise<void> {
    const before = Date.now();
    const overview = await json<Overview>("/api/overview");
    const queue = overview.queues.find((one) => one.name === "head-object");
    const waited = [before - asked - 1000 - 1000, Date.now() - asked - 1000];
    expect(queue).toMatchObject({ waiting: 5, active: 1, delayed: 1 });
    expect(queue?.oldestWaitingMs).toBeGreaterThanOrEqual(waited[0] ?? 0);
    expect(queue?.oldestWaitingMs).toBeLessThanOrEqual(waited[1] ?? 0);
    const { text } = await dashboard.send("/metrics");
    for (const [state, jobsIn] of [
      ["waiting", 5],
      ["active", 1],
      ["delayed", 1],
    ] as const)
      expect(metric(text, `bucketline_queue_jobs\\{activity="head-object",state="${state}"\\}`)).toBe(jobsIn);
    const age = metric(text, 'bucketline_queue_oldest_job_age_seconds\\{activity="head-object"\\}');
    expect(age * 1000).toBeLessThanOrEqual(Date.now() - asked - 1000);
    expect(await row.locator("td").allTextContents()).toEqual([
      "0",
      "5",
      "1",
      "1",
      "0",
      "0",
      expect.stringMatching(/ s$| ms$/),
    ]);
  }

  test("is what Redis says of jobs: how many wait, for how long, and how long they waited, without their delay", async () => {
    const { sandbox, producer, prefix } = harness;
    sandbox.put("in", "stuck", "x");
    sandbox.fault({ kind: "stall", key: "stuck" });
    const stuck = await producer.enqueue("head-object", { object: { bucket: "in", key: "stuck" } });
    await vi.waitUntil(async () => (await stuck.state()) === "active", SLOW);
    await producer.schedule("each-second", { every: "1s" }, "head-bucket", { bucket: "in" });
    const later = { object: { bucket: "in", key: "k/1" } };
    const jobs = await producer.enqueueMany(
      "head-object",
      Array.from({ length: 5 }, () => later),
      { delay: 1000 },
    );
    await producer.enqueue("head-object", later, { delay: 3_600_000 });
    const name = (word: string) => redisKeys(prefix).job("head-object", word);
    await page.goto("/");
    const row = page.getByRole("row", { name: /^head-object/ });
    await expect.poll(() => row.locator("td").nth(1).textContent(), SLOW).toBe("5");

    await expectAge(row, Number(await dashboard.redis.hget(name(jobs[0]?.id ?? ""), "timestamp")));

    sandbox.clearFaults();
    await stuck.cancel();
    for (const job of jobs) await job.succeeded({ timeout: 30_000 });
    // The wait: what stands in the hashes, again without the delay.
    const waits = await Promise.all(
      jobs.map(async ({ id }) => {
        const [timestamp, processedOn] = await dashboard.redis.hmget(name(id), "timestamp", "processedOn");
        return Number(processedOn) - Number(timestamp) - 1000;
      }),
    );
    type Steps = { readonly buckets: readonly { completed: number | null; waitP95: number | null }[] };
    const { buckets } = await json<Steps>("/api/throughput?range=15m&activity=head-object");
    expect(buckets.reduce((total, { completed }) => total + (completed ?? 0), 0)).toBe(5);
    expect(Math.max(...buckets.map(({ waitP95 }) => waitP95 ?? 0))).toBe(Math.max(...waits));
    // A schedule's jobs are asked for an interval ahead; they wait for next to nothing.
    const scheduled = await json<Steps>("/api/throughput?range=15m&activity=head-bucket");
    expect(Math.min(...scheduled.buckets.map(({ waitP95 }) => waitP95 ?? Infinity))).toBeLessThan(900);
    await producer.schedules.remove("each-second");
  }, 60_000);
});
