import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type RedisServer, startRedis } from "../sandbox/index.ts";
import { findChromium, openPage, startBrowser } from "../test/browser.ts";
import { type DashboardHarness, startDashboardHarness } from "../test/dashboard-harness.ts";
import { type Harness, startHarness } from "../test/harness.ts";

const possible = findChromium() !== undefined || process.env["CI"] !== undefined;
/** Where the pictures of the documentation go: `SCREENSHOTS=docs/screenshots vitest run dashboard/screenshots`. */
const folder = process.env["SCREENSHOTS"];

const KEPT = new Set([
  "overview-light",
  "overview-dark",
  "overview-phone",
  "batch-light",
  "batch-dark",
  "batch-phone",
  "plan-light",
  "jobs-dark",
]);

const LOOKS = [
  { name: "light", colorScheme: "light", width: 1280, height: 860 },
  { name: "dark", colorScheme: "dark", width: 1280, height: 860 },
  { name: "phone", colorScheme: "light", width: 390, height: 844 },
] as const;

// As in dashboard.browser.test.ts, which says so where it is skipped.
describe.runIf(possible)("the pages, as they look", () => {
  let redis: RedisServer;
  let harness: Harness;
  let dashboard: DashboardHarness;
  let browser: Browser;
  let pages: Readonly<Record<string, string>>;

  beforeAll(async () => {
    // One that keeps its data, as it should be: the pages would warn of any other.
    redis = await startRedis({ appendonly: true });
    harness = await startHarness({ redis: redis.url });
    const { prefix, config } = harness;
    dashboard = await startDashboardHarness({ prefix, documentsUrl: config.documentsUrl, redis: redis.url });
    browser = await startBrowser();
    pages = {
      overview: "/",
      batches: "/batches",
      jobs: "/jobs/copy-object?state=failed",
      api: "/docs",
      ...(await fill()),
    };
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await dashboard.close();
    await harness.close();
    await redis.stop();
  });

  test.each(LOOKS)(
    "$name: every page draws without an error, and nothing is wider than the screen",
    async ({ name, colorScheme, width, height }) => {
      const { page, context, problems } = await openPage(browser, dashboard.url, { colorScheme, width, height });
      for (const [title, path] of Object.entries(pages)) {
        await page.goto(path);
        await page.getByRole("heading", { level: 1 }).waitFor();
        await page.evaluate("document.fonts.ready");
        if (title !== "api" && title !== "job") await page.getByText("Live", { exact: true }).waitFor();
        if (title === "overview" || title === "batch" || title === "jobs")
          await page.locator(".uplot canvas").first().waitFor();
        expect([title, await page.evaluate("document.documentElement.scrollWidth - innerWidth")]).toEqual([title, 0]);
        const image = await page.screenshot();
        expect(image.byteLength).toBeGreaterThan(15_000);
        if (folder === undefined || !KEPT.has(`${title}-${name}`)) continue;
        await mkdir(folder, { recursive: true });
        await writeFile(join(folder, `${title}-${name}.png`), image);
      }
      await context.close();
      expect(problems).toEqual([]);
    },
    60_000,
  );

  /** A system at work: jobs of the last minutes, a batch that runs, others that ended, and what went wrong. */
  async function fill(): Promise<Record<string, string>> {
    const { sandbox, producer, prefix } = harness;
    for (const bucket of ["photos", "archive", "logs"]) sandbox.createBucket(bucket);
    for (let i = 0; i < 60; i++)
      sandbox.put("photos", `2026/11/img-${String(i).padStart(4, "0")}.jpg`, "x".repeat(2000));
    for (let i = 0; i < 1200; i++)
      sandbox.put(
        "logs",
        `2025/${String((i % 12) + 1).padStart(2, "0")}/app-${String(i).padStart(4, "0")}.log`,
        "line\n".repeat(400),
      );
    sandbox.fault({ kind: "status", operation: "CopyObject", key: /app-0[0-9]13/, status: 403, code: "AccessDenied" });
    const inputs = Array.from({ length: 60 }, (_, i) => ({
      object: { bucket: "photos", key: `2026/11/img-${String(i % 20 === 19 ? 9999 : i).padStart(4, "0")}.jpg` },
      destination: { bucket: "archive" },
    }));
    const jobs = await producer.enqueueMany("copy-object", inputs);
    await producer.enqueueMany(
      "head-object",
      inputs.map(({ object }) => ({ object })),
    );
    await producer.enqueue("list-objects", { bucket: "photos" }, { delay: 3_600_000 });
    for (const job of jobs) await job.succeeded({ timeout: 20_000 });
    await past(prefix);
    const start = async (body: object) =>
      String((await dashboard.send("/api/batches", { method: "POST", body })).json()["id"]);
    const done = await start({
      operation: "copy",
      source: { bucket: "photos" },
      destination: { bucket: "archive", prefix: "backup/" },
      label: "Back up the photos",
    });
    const planned = await start({
      operation: "move",
      source: { bucket: "photos", prefix: "2026/" },
      destination: { bucket: "archive", prefix: "photos/2026/" },
      dryRun: true,
    });
    const state = async (id: string) => (await dashboard.send(`/api/batches/${id}`)).json()["state"];
    await vi.waitUntil(async () => (await state(done)) === "completed", { timeout: 20_000 });
    await vi.waitUntil(async () => (await state(planned)) === "planned", { timeout: 20_000 });
    const running = await start({
      operation: "copy",
      source: { bucket: "logs", prefix: "2025/" },
      destination: { bucket: "archive" },
      label: "Archive the logs of 2025",
      maxObjectsPerSecond: 25,
    });
    const look = async () => (await dashboard.send(`/api/batches/${running}`)).json();
    await vi.waitUntil(async () => Number((await look())["succeeded"]) > 60, { timeout: 30_000, interval: 200 });
    const failed = jobs[19]?.id ?? "";
    return { batch: `/batches/${running}`, plan: `/batches/${planned}`, job: `/jobs/copy-object/${failed}` };
  }

  /** Jobs of the last quarter of an hour, so that the charts have something to show. */
  async function past(prefix: string): Promise<void> {
    const now = Date.now();
    const pipeline = dashboard.redis.pipeline();
    for (let i = 0; i < 9000; i++) {
      const at = now - 20_000 - Math.floor(880_000 * ((i + 300 * Math.sin(i / 500)) / 9300));
      const set = i % 150 === 0 ? "failed" : "completed";
      const id = `past-${i}`;
      const run = 8 + 6 * Math.sin(at / 60_000) + (i % 29 === 0 ? 30 : 0);
      pipeline.zadd(`${prefix}:head-object:${set}`, at, id);
      pipeline.hset(`${prefix}:head-object:${id}`, {
        name: "head-object",
        data: "{}",
        opts: "{}",
        timestamp: at - run - 3,
        delay: 0,
        processedOn: at - run,
        finishedOn: at,
      });
    }
    await pipeline.exec();
  }
});
