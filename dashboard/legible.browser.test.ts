import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { BatchHandle } from "../batches/handle.ts";
import { redisKeys } from "../redis/keys.ts";
import { findChromium, openPage, startBrowser, type WatchedPage } from "../test/browser.ts";
import { type DashboardHarness, startDashboardHarness } from "../test/dashboard-harness.ts";
import { type Harness, startHarness } from "../test/harness.ts";

const possible = findChromium() !== undefined || process.env["CI"] !== undefined;
const SOON = { timeout: 20_000 };

// As in pages.browser.test.ts, which says so where it is skipped.
describe.runIf(possible)("whoever reads the pages", () => {
  let harness: Harness;
  let dashboard: DashboardHarness;
  let browser: Browser;
  const opened: WatchedPage[] = [];

  beforeAll(async () => {
    harness = await startHarness();
    dashboard = await startDashboardHarness({ prefix: harness.prefix, documentsUrl: harness.config.documentsUrl });
    browser = await startBrowser();
    for (const bucket of ["in", "out"]) harness.sandbox.createBucket(bucket);
    for (let i = 0; i < 60; i++) harness.sandbox.put("in", `many/${i}`, "x");
  });
  afterEach(async () => {
    const problems = opened.flatMap((page) => page.problems);
    for (const { context } of opened.splice(0)) await context.close();
    harness.sandbox.clearFaults();
    expect(problems).toEqual([]);
  });
  afterAll(async () => {
    await browser.close();
    await dashboard.close();
    await harness.close();
  });

  async function blank(options = {}, url = dashboard.url): Promise<Page> {
    const watched = await openPage(browser, url, options);
    opened.push(watched);
    return watched.page;
  }
  async function open(path: string, options = {}): Promise<Page> {
    const page = await blank(options);
    await page.goto(path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    return page;
  }

  const copyOf = (prefix: string, more: object = {}): Promise<BatchHandle> =>
    harness.producer.batches.start({
      operation: "copy",
      source: { bucket: "in", prefix },
      destination: { bucket: "out" },
      ...more,
    });

  test("is told on the overview how many batches are at work, and sees the one that stands still before the newest", async () => {
    const start = (label: string, rate: number) =>
      copyOf("many/", { label, maxObjectsPerSecond: rate, destination: { bucket: "out", prefix: `${label}/` } });
    const paused = await start("Paused and forgotten", 1);
    await paused.pause();
    const others: BatchHandle[] = [];
    for (let i = 0; i < 10; i++) others.push(await start(`Newer ${i}`, 1));
    const page = await open("/");
    const card = page.locator(".card", { has: page.getByRole("heading", { name: "Batches at work" }) });
    await card.getByText("8 of 11: those that stand still, then the newest").waitFor();
    await card.getByRole("link", { name: "All 11" }).waitFor();
    const names = async () => (await card.locator(".batch-row .what > a").allTextContents()).map((name) => name.trim());
    await expect
      .poll(names, SOON)
      .toEqual(["Paused and forgotten", ...[9, 8, 7, 6, 5, 4, 3].map((index) => `Newer ${index}`)]);
    await Promise.all([paused, ...others].map((batch) => batch.cancel()));
  });

  test("finds a different label at each mark of a chart's axes, where nothing ever happened and where little did", async () => {
    const own = await startDashboardHarness();
    const axes = async () => {
      const page = await blank({}, own.url);
      await page.addInitScript(NOTES_TEXT);
      await page.goto("/");
      await page.getByText("Live", { exact: true }).waitFor();
      await expect.poll(() => page.evaluate(`${DRAWN}.length`), SOON).toBe(2);
      await expect.poll(() => page.evaluate(`${DRAWN}.every((labels) => labels.length > 1)`), SOON).toBe(true);
      return page.evaluate<string[][]>(DRAWN);
    };
    const at = Date.now() - 60_000;
    try {
      for (const labels of await axes()) expect(labels).toEqual([...new Set(labels)]);
      // One job, which took a moment.
      const job = `${own.prefix}:head-bucket`;
      await own.redis.hset(`${job}:1`, { timestamp: at - 3, processedOn: at - 2, finishedOn: at });
      await own.redis.zadd(`${job}:completed`, at, "1");
      for (const labels of await axes()) expect(labels).toEqual([...new Set(labels)]);
    } finally {
      await own.close();
    }
  });

  test("sees the speed and the time to go of a batch whose objects fail or are skipped", async () => {
    for (let i = 0; i < 60; i++) harness.sandbox.put("out", `there/${i}`, "x");
    for (let i = 0; i < 30; i++) harness.sandbox.put("in", `there/${i}`, "x");
    const batch = await harness.producer.batches.start({
      operation: "copy",
      // Half of them are there already, and half are missing: none is copied.
      source: { items: Array.from({ length: 60 }, (_, i) => ({ bucket: "in", key: `there/${i}` })) },
      destination: { bucket: "out" },
      onConflict: "skip",
      maxObjectsPerSecond: 4,
    });
    const page = await open(`/batches/${batch.id}`);
    const speed = page.locator("dl.tiles > div", { hasText: "Speed" });
    await expect
      .poll(async () => Number.parseFloat(/[\d.]+/.exec((await speed.textContent()) ?? "")?.[0] ?? "0"), SOON)
      .toBeGreaterThan(1);
    await page.getByText(/^about .* to go$/).waitFor();
    expect((await batch.status()).succeeded).toBe(0);
    await batch.cancel();
  });

  test("reads what tells keys apart, its error and attempts, at twice the size of letters", async () => {
    const folders = "a-folder-with-a-name-of-its-own/".repeat(4);
    const jobs = await harness.producer.enqueueMany(
      "head-object",
      ["january.csv", "february.csv"].map((name) => ({ object: { bucket: "in", key: `${folders}${name}` } })),
    );
    for (const job of jobs) await job.succeeded({ timeout: 20_000 });
    // 1280 pixels at 200 %.
    const page = await open("/jobs/head-object?state=failed", { width: 640, height: 430 });
    const rows = page.locator(".table.jobs tbody tr", { hasText: ".csv" });
    await expect.poll(() => rows.count()).toBe(2);
    expect(await rows.evaluateAll(ROOM_LEFT)).toEqual(["end seen, room used", "end seen, room used"]);
    for (const row of await rows.all())
      expect(
        await row
          .locator("visible=true")
          .getByText(/NoSuchKey · 1 attempt$/)
          .count(),
      ).toBe(1);
    const wide = await open("/jobs/head-object?state=failed");
    const same = wide.locator(".table.jobs tbody tr", { hasText: ".csv" });
    await expect.poll(() => same.count()).toBe(2);
    expect(await same.evaluateAll(ROOM_LEFT)).toEqual(["end seen, room used", "end seen, room used"]);
  });

  test.each([
    [1280, 100],
    [390, 150],
  ])("scrolls little through a hundred failures with long names, %i pixels wide", async (width, high) => {
    const keys = Array.from({ length: 100 }, (_, i) => `${"long/".repeat(180)}denied-${i}`);
    for (const key of keys) harness.sandbox.put("in", key, "x");
    // What is said of each names both ends of the copy.
    harness.sandbox.fault({
      kind: "status",
      operation: "CopyObject",
      key: /denied-/,
      status: 403,
      code: "AccessDenied",
    });
    const items = keys.map((key) => ({ bucket: "in", key }));
    const batch = await harness.producer.batches.start({
      operation: "copy",
      source: { items },
      destination: { bucket: "out" },
    });
    await batch.done().catch(() => undefined); // all of it fails: that is what is looked at
    const page = await open(`/batches/${batch.id}`, { width, height: 844 });
    const rows = page.locator(".table.failures tbody tr");
    await expect.poll(() => rows.count(), SOON).toBe(100);
    const heights = await rows.evaluateAll((all) =>
      all.map((row) => (row as unknown as { offsetHeight: number }).offsetHeight),
    );
    expect(Math.max(...heights)).toBeLessThan(high);
    // What to do about it comes before all of them.
    const button = await page.getByRole("button", { name: "Retry failed" }).boundingBox();
    expect(button?.y).toBeLessThan(844);
  });

  test("finds as many errors in the table as failed, also of chunks that are at work", async () => {
    const items = Array.from({ length: 3 }, (_, i) => ({ bucket: "in", key: `absent/${i}` }));
    const batch = await harness.producer.batches.start({
      operation: "copy",
      source: { items },
      destination: { bucket: "out" },
    });
    await batch.done().catch(() => undefined); // all of it fails: that is what is looked at
    // As it stands while another chunk is at work, of which 4 failed by now.
    const record = `${redisKeys(harness.prefix).batches()}:${batch.id}`;
    await dashboard.redis.hset(record, { state: "paused", total: 10, failed: 7, listed: 10 });
    await dashboard.redis.hdel(record, "endedAt");
    const page = await open(`/batches/${batch.id}`);
    const errors = page.locator(".card", { has: page.getByRole("heading", { name: "Errors" }) });
    await errors.getByRole("row", { name: "told apart when their chunk is done 4" }).waitFor();
    const told = (await errors.locator("tbody td").allTextContents()).map(Number);
    expect(told.reduce((sum, one) => sum + one, 0)).toBe(7);
    await page.locator("dt:text-is('Failed') + dd", { hasText: "7" }).first().waitFor();
  });

  test("sees the last hour of a batch that ended, however long ago that was", async () => {
    const batch = await copyOf("many/", { destination: { bucket: "out", prefix: "ended/" } });
    const { endedAt = "" } = await batch.done();
    const page = await blank();
    await page.clock.install({ time: Date.parse(endedAt) + 40 * 60_000 });
    await page.goto(`/batches/${batch.id}`);
    await page.getByText("Objects per second, its last hour").waitFor();
    const rows = page.locator(".chart-table tbody th");
    const objects = page.locator(".chart-table tbody td");
    expect(Date.parse(await newest()) - Date.parse(endedAt)).toBeLessThanOrEqual(0);
    expect(Number(await objects.first().textContent())).toBeGreaterThan(0);
    await page.clock.fastForward(600_000);
    expect(Date.parse(await newest()) - Date.parse(endedAt)).toBeLessThanOrEqual(0);

    /** The time of the newest row, on the day of the end. */
    async function newest(): Promise<string> {
      const [hours = 0, minutes = 0, seconds = 0] = ((await rows.first().textContent()) ?? "").split(":").map(Number);
      return new Date(new Date(endedAt).setHours(hours, minutes, seconds, 0)).toISOString();
    }
  });

  test("takes no dry run for a start, no plan of a schedule for a run, and no beginning for an end", async () => {
    const page = await open("/about");
    expect(await page.getByRole("navigation", { name: "Pages" }).locator("[aria-current=page]").count()).toBe(0);
    const planned = await copyOf("many/", { dryRun: true, label: "Only counted" });
    await expect.poll(async () => (await planned.status()).state, SOON).toBe("planned");
    await page.goto(`/batches/${planned.id}`);
    const timeline = page.locator(".timeline");
    await timeline.getByText("asked for a dry run").waitFor();
    await timeline.getByText("Dry run began").waitFor();
    expect(await timeline.getByText(/started/i).count()).toBe(0);
    await harness.producer.schedule("next-year", { cron: "0 3 1 1 *" }, "head-bucket", { bucket: "in" });
    await page.goto("/schedules?id=next-year");
    await page.getByText("scheduled", { exact: true }).waitFor();
    expect(await page.locator("main").getByText("running").count()).toBe(0);
    // One that ended a moment ago, and began a day before.
    const ended = await copyOf("many/", { label: "Took a day", destination: { bucket: "out", prefix: "day/" } });
    await ended.done();
    const day = String(Date.now() - 86_400_000);
    await dashboard.redis.hset(
      `${redisKeys(harness.prefix).batches()}:${ended.id}`,
      "createdAt",
      day,
      "startedAt",
      day,
    );
    const nothing = await copyOf("nothing-there/", { label: "Found nothing" });
    await nothing.done();
    await page.goto("/batches");
    const row = (name: string) => page.locator(".batch-row", { hasText: name });
    await row("Found nothing").getByText("no object").waitFor();
    expect(await row("Took a day").locator(".state").textContent()).toMatch(
      /^completed\s*(?:\d+ min )?[\d.]+ (?:ms|s|min) ago$/,
    );
    expect(await row("Only counted").locator(".state").textContent()).toMatch(/^planned\s*begun .* ago$/);
  });

  test("reads how long ago something was, whatever the clock of their machine says", async () => {
    const page = await blank();
    await page.clock.install({ time: Date.now() + 3 * 3_600_000 });
    await page.goto("/workers");
    const heard = page.locator("dt:text-is('Last heartbeat') + dd");
    await expect.poll(() => heard.textContent(), SOON).toMatch(/^[\d.]+ m?s ago$/);
  });

  test("finds one word for one thing on every page: queued, last heartbeat, slots, listing, limit", async () => {
    const job = await harness.producer.enqueue("head-bucket", { bucket: "in" });
    await job.succeeded({ timeout: 20_000 });
    const batch = await copyOf("many/", { maxObjectsPerSecond: 1, destination: { bucket: "out", prefix: "words/" } });
    const words: Readonly<Record<string, readonly string[]>> = {
      "/workers": ["Last heartbeat", "slots"],
      [`/jobs/head-bucket/${job.id}`]: ["Queued"],
      [`/batches/${batch.id}`]: ["Listing", "Limit"],
    };
    for (const [path, expected] of Object.entries(words)) {
      const page = await open(path);
      for (const word of expected) await page.locator("main").getByText(word).first().waitFor();
      expect([path, (await page.locator("main").textContent())?.match(OLD_WORDS)]).toEqual([path, null]);
    }
    await batch.cancel();
  });
});

const OLD_WORDS = /\b(?:Heard of|Asked|All about them|[Pp]laces|at rest|At most so many)\b/;

/** What is drawn into each canvas as text; a canvas that is cleared begins anew. */
const NOTES_TEXT = `
  window.drawnTexts = new Map();
  const { fillText, clearRect } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    window.drawnTexts.set(this.canvas, []);
    return clearRect.apply(this, box);
  };
  CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
    const texts = window.drawnTexts.get(this.canvas) ?? [];
    window.drawnTexts.set(this.canvas, [...texts, text]);
    return fillText.call(this, text, ...rest);
  };`;
/** The labels of the upright axes of charts that are shown: all but times of day. */
const DRAWN = `[...window.drawnTexts].filter(([canvas]) => canvas.isConnected).map(([, texts]) => texts.filter((text) => !/^\\d\\d:\\d\\d/.test(text)))`;

/** Whether the end of each row's name is in sight, and a name that is cut takes the room that its cell and its table have. */
const ROOM_LEFT = (rows: { querySelector(selector: string): unknown }[]) =>
  rows.map((row) => {
    type Box = { getBoundingClientRect(): { right: number; width: number }; scrollWidth: number; clientWidth: number };
    const [cell, name, start, end] = [".key", ".name", ".name-start", ".name-end"].map(
      (selector) => row.querySelector(selector) as Box,
    );
    if (!cell || !name || !start || !end) return "no name";
    const right = cell.getBoundingClientRect().right;
    const seen = end.getBoundingClientRect().right <= right + 1 && end.scrollWidth <= end.clientWidth + 1;
    const cut = start.scrollWidth > start.clientWidth + 1;
    const wide = cell.getBoundingClientRect().width > 0.6 * (row as unknown as Box).getBoundingClientRect().width;
    const used = !cut || (wide && right - end.getBoundingClientRect().right < 24);
    return `${seen ? "end seen" : "end hidden"}, ${used ? "room used" : "room left"}`;
  });
