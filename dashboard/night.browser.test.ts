import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { redisKeys } from "../redis/keys.ts";
import { findChromium, openPage, startBrowser, type WatchedPage } from "../test/browser.ts";
import { type DashboardHarness, startDashboardHarness } from "../test/dashboard-harness.ts";
import { type Harness, startHarness } from "../test/harness.ts";

const possible = findChromium() !== undefined || process.env["CI"] !== undefined;
const SLOW = { timeout: 60_000, interval: 250 };

// As in pages.browser.test.ts, which says so where it is skipped.
describe.runIf(possible)("whoever is called at night", () => {
  let harness: Harness;
  let dashboard: DashboardHarness;
  let browser: Browser;
  const opened: WatchedPage[] = [];

  beforeAll(async () => {
    harness = await startHarness();
    dashboard = await startDashboardHarness({
      prefix: harness.prefix,
      documentsUrl: harness.config.documentsUrl,
      env: { BUCKETLINE_DASHBOARD_ENVIRONMENT: "staging" },
    });
    browser = await startBrowser();
    await trouble();
  }, 120_000);
  afterEach(async () => {
    const problems = opened.flatMap((page) => page.problems);
    for (const { context } of opened.splice(0)) await context.close();
    expect(problems).toEqual([]);
  });
  afterAll(async () => {
    await browser.close();
    await dashboard.close();
    await harness.close();
  });

  /** Failed jobs of two buckets, a failed batch, a broken schedule, a dead worker, a paused batch. */
  async function trouble(): Promise<void> {
    const { sandbox, producer, prefix } = harness;
    for (const bucket of ["in", "out", "photos"]) sandbox.createBucket(bucket);
    const jobs = await producer.enqueueMany(
      "head-object",
      ["a", "b", "c", "d"].map((key) => ({ object: { bucket: "photos", key: `2026/${key}.jpg` } })),
    );
    for (const job of jobs) await job.succeeded({ timeout: 60_000 });
    const nowhere = await producer.batches.start({
      operation: "delete",
      source: { bucket: "misspelt", prefix: "old/" },
    });
    await nowhere.done().catch(() => undefined); // it fails: that is what is looked at
    await producer.schedule("broken-hourly", { every: "1h" }, "head-bucket", { bucket: "that-is-not-there" });
    const keys = redisKeys(prefix);
    const seenAt = new Date(Date.now() - 90_000).toISOString();
    const record = {
      id: "deadbeef-1",
      host: "box-3",
      pid: 77,
      running: 1,
      jobs: [`head-object/${jobs[0]?.id}`],
      seenAt,
    };
    await dashboard.redis.hset(keys.lostWorkers(), "deadbeef-1", JSON.stringify(record));
    for (let i = 0; i < 50; i++) sandbox.put("in", `slow/${i}`, "x");
    const paused = await producer.batches.start({
      operation: "copy",
      source: { bucket: "in", prefix: "slow/" },
      destination: { bucket: "out" },
      maxObjectsPerSecond: 1,
      label: "Slow and paused",
    });
    await dashboard.send(`/api/batches/${paused.id}/pause?reason=the+store+is+down`, { method: "POST" });
    const found = async () => (await dashboard.send("/api/problems")).text;
    await vi.waitUntil(async () => (await found()).includes("broken-hourly"), SLOW);
  }

  /** From the overview on, with a count of clicks. */
  async function night(): Promise<{
    page: Page;
    click: (name: string | RegExp) => Promise<void>;
    clicks: () => number;
  }> {
    const watched = await openPage(browser, dashboard.url);
    opened.push(watched);
    const { page } = watched;
    page.setDefaultTimeout(30_000);
    await page.goto("/");
    await page.locator("dl.tiles").waitFor();
    let clicks = 0;
    return {
      page,
      click: async (name) => {
        clicks += 1;
        await page.locator("main").getByRole("link", { name }).first().click();
      },
      clicks: () => clicks,
    };
  }

  test("sees what is broken, since when, whose it is, why, and what to do, within three clicks", async () => {
    const { page, click, clicks } = await night();
    await click("Problems");
    await page.getByRole("heading", { name: "Problems", level: 1 }).waitFor();
    // What is broken, and whose.
    const row = page.getByRole("row", { name: /head-object fails with NoSuchKey/ });
    await row.getByText("bucket photos · profile default").waitFor();
    expect(await row.textContent()).toMatch(/4.*ago/);
    await click("head-object fails with NoSuchKey");
    // Since when, why, and what to do.
    await page.locator("dt:text-is('First seen') + dd time").waitFor();
    await page.getByText("What it means.").waitFor();
    await page.getByText("What to do.").waitFor();
    expect(await page.locator("dt:text-is('Still failed') + dd").textContent()).toBe("4");
    await page.getByRole("button", { name: "Retry all" }).waitFor();
    // One of them, with all that is known of it.
    await page.locator(".places a").first().click();
    await page.getByText("Attempt failed: NoSuchKey").waitFor();
    await page.getByRole("link", { name: "All that failed alike" }).waitFor();
    expect(clicks()).toBeLessThanOrEqual(3);
  });

  test("sees which worker died and what it held, which schedule keeps failing, and what is paused since when", async () => {
    const { page, click } = await night();
    await click("Problems");
    await click("The worker box-3 · 77 fell silent");
    await page.getByText("It held 1 job.").waitFor();
    await page.locator(".places a").waitFor();
    await page.goBack();
    await click("The schedule broken-hourly keeps failing");
    await page.getByRole("link", { name: "schedule broken-hourly" }).click();
    await page.getByText("1 in a row").waitFor();
    await page.goto("/");
    await click("Slow and paused");
    const hold = page.locator(".hold", { hasText: "Paused by local (“the store is down”) since" });
    await hold.waitFor();
    expect(await hold.locator("time").getAttribute("title")).toMatch(/UTC$/);
  });

  test("reads who paused what, when and why, on the thing itself and among all acts, and steers it on", async () => {
    const { page, click } = await night();
    await click("Slow and paused");
    const point = page.locator(".timeline li", { hasText: "local paused the batch" });
    await point.getByText("the store is down").waitFor();
    expect(await point.locator("time").getAttribute("title")).toMatch(/UTC$/);
    await page.locator(".timeline li", { hasText: "started the batch" }).getByText("limit: 1").waitFor();
    await page.getByLabel("Limit of objects per second").fill("500");
    await page.keyboard.press("Enter");
    await page.locator(".timeline li", { hasText: "local set the rate" }).getByText("500/s").waitFor();
    // 50 objects at one a second would take longer than anybody waits here.
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByText("completed", { exact: true }).waitFor();

    const doomed = await harness.producer.batches.start({
      operation: "delete",
      source: { bucket: "in", prefix: "slow/" },
      maxObjectsPerSecond: 1,
    });
    await page.goto(`/batches/${doomed.id}`);
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("dialog").getByLabel(/Why/).fill("the wrong prefix");
    await page.getByRole("dialog").getByRole("button", { name: "Cancel the batch" }).click();
    await page.getByText("cancelled", { exact: true }).waitFor();
    await page.goto("/audit");
    await page.getByRole("row", { name: /local.*paused the batch.*the store is down/ }).waitFor();
    await page.getByLabel("What was done").fill("batch.cancel");
    await page.getByRole("button", { name: "Show" }).click();
    const row = page.getByRole("row", { name: /local.*cancelled the batch.*the wrong prefix/ });
    await row.waitFor();
    await expect.poll(() => page.locator(".table.acts tbody tr").count()).toBe(1);
    expect(new URL(page.url()).search).toBe("?action=batch.cancel");
    await row.getByRole("link").click();
    await expect.poll(() => new URL(page.url()).pathname).toBe(`/batches/${doomed.id}`);
  });

  test("retries all that failed alike after being told how many, and watches it to its end", async () => {
    for (const key of ["a", "b", "c", "d"]) harness.sandbox.put("photos", `2026/${key}.jpg`, "x");
    const { page, click } = await night();
    await click("Problems");
    await click("head-object fails with NoSuchKey");
    await page.getByRole("button", { name: "Retry all" }).click();
    const dialog = page.getByRole("dialog", { name: "Retry 4 jobs?" });
    await dialog.getByRole("button", { name: "Retry 4" }).click();
    await page.getByText("100%", { exact: true }).waitFor();
    expect(await page.locator("dt:text-is('Done') + dd").textContent()).toBe("4");
    await page.goto("/problems");
    await page.getByText("The schedule broken-hourly keeps failing").waitFor();
    await expect.poll(() => page.getByText("head-object fails with NoSuchKey").count(), SLOW).toBe(0);
  });

  test("finds jobs by a part of a key, keeps what was asked in the address, and takes hold of a problem", async () => {
    const { page, click } = await night();
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog", { name: "Find" }).getByRole("searchbox").fill("2026/c");
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "s3://photos/2026/c.jpg" }).waitFor();
    expect(new URL(page.url()).searchParams.get("text")).toBe("2026/c");
    await page.getByLabel("Error code").fill("Nothing");
    await page.getByRole("button", { name: "Search" }).last().click();
    await page.getByText("Nothing was found").waitFor();
    expect(new URL(page.url()).searchParams.get("code")).toBe("Nothing");
    await page.goto("/problems");
    await click("Batches that delete fail with NoSuchBucket");
    await page.getByRole("button", { name: "Acknowledge" }).click();
    await page.getByRole("dialog").getByLabel(/Why/).fill("I ask the owner");
    await page.getByRole("dialog").getByRole("button", { name: "Acknowledge" }).click();
    await page.getByText("I ask the owner").waitFor();
    await page.goto("/problems");
    await page.getByText(/looks after it/).waitFor();
  });

  test("knows on every page which environment it is, and on one of them what else there is to know", async () => {
    const { page } = await night();
    for (const path of ["/problems", "/jobs", "/about"]) {
      await page.goto(path);
      await page.getByTitle("Environment").waitFor();
      expect(await page.getByTitle("Environment").textContent()).toBe("staging");
    }
    await page.getByText(harness.prefix, { exact: true }).waitFor();
  });

  test("pauses a schedule, runs it once, and lets it go on", async () => {
    const { page } = await night();
    await page.goto("/schedules?id=broken-hourly");
    await page.getByRole("button", { name: "Pause" }).click();
    await page.locator("dt:text-is('Paused') + dd").waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.locator("dt:text-is('Next run') + dd").waitFor();
    await page.getByRole("button", { name: "Run now" }).click();
    await page.getByText("A run was asked for.").waitFor();
    await expect.poll(() => new URL(page.url()).pathname, SLOW).toMatch(/^\/jobs\/head-bucket\//);
  });

  test("pauses a queue, whose jobs then say why they wait, by whom and since when", async () => {
    const { page } = await night();
    await page.goto("/jobs/list-buckets?state=waiting");
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("dialog").getByLabel(/Why/).fill("the disk is full");
    await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
    const why = page.locator(".hold", { hasText: "The queue is paused by local (“the disk is full”) since" });
    await why.waitFor();
    const job = await harness.producer.enqueue("list-buckets", {});
    await page.goto(`/jobs/list-buckets/${job.id}`);
    await why.waitFor();
    await page.goto("/jobs/list-buckets?state=waiting");
    await page.getByRole("button", { name: "Resume" }).click();
    expect((await job.result({ timeout: 30_000 })).buckets.length).toBeGreaterThan(0);
  });
});
