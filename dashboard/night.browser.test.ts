import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { redisKeys } from "../redis/keys.ts";
import { findChromium, openPage, startBrowser, type WatchedPage } from "../test/browser.ts";
import { type DashboardHarness, startDashboardHarness } from "../test/dashboard-harness.ts";
import { type Harness, startHarness } from "../test/harness.ts";

const possible = findChromium() !== undefined || process.env["CI"] !== undefined;
const SLOW = { timeout: 60_000, interval: 250 };

type Night = {
  readonly page: Page;
  /** Follows a link by its name. */
  readonly click: (name: string | RegExp) => Promise<void>;
  readonly clicks: () => Promise<number>;
};

/** Whatever somebody presses, by hand or by key. */
const COUNTS_CLICKS = `addEventListener("click", ({ isTrusted }) => {
  if (isTrusted) sessionStorage.setItem("clicks", String(Number(sessionStorage.getItem("clicks")) + 1));
}, true)`;

/** What is asked at night, how many clicks it takes, and what tells the answer. */
const QUESTIONS: readonly (readonly [question: string, clicks: number, answer: (night: Night) => Promise<void>])[] = [
  [
    "What is broken?",
    1,
    async ({ page, click }) => {
      await click("Problems");
      const row = page.getByRole("row", { name: /head-object fails with NoSuchKey/ });
      expect(await row.locator("td.right").first().textContent()).toBe("4");
      for (const other of [
        "Batches that delete fail with NoSuchBucket",
        "The worker box-3 · 77 fell silent",
        "The schedule broken-hourly keeps failing",
      ])
        await page.getByRole("link", { name: other }).waitFor();
    },
  ],
  [
    "Since when?",
    2,
    async ({ page, click }) => {
      await click("Problems");
      expect(await page.getByRole("row", { name: /head-object fails with NoSuchKey/ }).textContent()).toMatch(
        /ago.*ago/,
      );
      await click("head-object fails with NoSuchKey");
      for (const seen of ["First seen", "Last seen"]) {
        const time = page.locator(`dt:text-is('${seen}') + dd time`);
        expect(await time.getAttribute("title")).toMatch(/UTC$/);
        const passed = Date.now() - Date.parse((await time.getAttribute("datetime")) ?? "");
        expect(passed).toBeGreaterThan(0);
        expect(passed).toBeLessThan(900_000);
      }
    },
  ],
  [
    "Whose is it?",
    3,
    async ({ page, click }) => {
      await click("Problems");
      const row = page.getByRole("row", { name: /head-object fails with NoSuchKey/ });
      await row.getByText("bucket photos · profile default").waitFor();
      await click("Batches that delete fail with NoSuchBucket");
      await page.locator(".places a").first().click();
      await page.locator(".timeline li", { hasText: /^app on .* started the batch/ }).waitFor();
    },
  ],
  [
    "Why?",
    3,
    async ({ page, click }) => {
      await click("Problems");
      await click("head-object fails with NoSuchKey");
      await page.getByText("What it means.").waitFor();
      await page
        .locator(".alert")
        .getByText(/no object s3:\/\/photos\/2026\/.*request/)
        .waitFor();
      await page.locator(".places a").first().click();
      await page.getByText("Attempt failed: NoSuchKey").waitFor();
      await page.getByRole("link", { name: "All that failed alike" }).waitFor();
    },
  ],
  [
    "What do I do?",
    2,
    async ({ page, click }) => {
      await click("Problems");
      await click("head-object fails with NoSuchKey");
      await page.getByText("What to do.").waitFor();
      expect(await page.locator("dt:text-is('Still failed') + dd").textContent()).toBe("4");
      await page.getByRole("button", { name: "Retry all" }).waitFor();
    },
  ],
  [
    "Did a worker die, and what did it hold?",
    2,
    async ({ page, click }) => {
      await click("Problems");
      await click("The worker box-3 · 77 fell silent");
      await page.getByText("It held 1 job.").waitFor();
      await page.locator(".places a").waitFor();
    },
  ],
  [
    "Which schedule keeps failing?",
    3,
    async ({ page, click }) => {
      await click("Problems");
      await click("The schedule broken-hourly keeps failing");
      await page.getByRole("link", { name: "schedule broken-hourly" }).click();
      await page.getByText("1 in a row").waitFor();
    },
  ],
  [
    "Who paused this, when and why?",
    1,
    async ({ page, click }) => {
      await click("Slow and paused");
      const hold = page.locator(".hold", { hasText: "Paused by local (“the store is down”) since" });
      await hold.waitFor();
      expect(await hold.locator("time").getAttribute("title")).toMatch(/UTC$/);
    },
  ],
];

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

  /** From the overview on, with a count of all clicks. */
  async function night(): Promise<Night> {
    const watched = await openPage(browser, dashboard.url);
    opened.push(watched);
    const { page } = watched;
    page.setDefaultTimeout(30_000);
    await page.addInitScript(COUNTS_CLICKS);
    await page.goto("/");
    await page.locator("dl.tiles").waitFor();
    return {
      page,
      click: (name) => page.locator("main").getByRole("link", { name }).first().click(),
      clicks: () => page.evaluate<number>("Number(sessionStorage.getItem('clicks'))"),
    };
  }

  test.each(QUESTIONS)("is answered within three clicks from the overview: %s", async (_question, clicks, answer) => {
    const began = await night();
    await answer(began);
    expect(await began.clicks()).toBe(clicks);
    expect(clicks).toBeLessThanOrEqual(3);
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
