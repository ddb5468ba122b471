import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { redisKeys } from "../redis/keys.ts";
import { type RedisServer, startRedis } from "../sandbox/index.ts";
import { findChromium, openPage, startBrowser } from "../test/browser.ts";
import { accounts, type DashboardHarness, startDashboardHarness } from "../test/dashboard-harness.ts";
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
  "problems-light",
  "problem-light",
  "problems-phone",
  "audit-light",
]);

const LOOKS = [
  { name: "light", colorScheme: "light", width: 1280, height: 860, density: 1 },
  { name: "dark", colorScheme: "dark", width: 1280, height: 860, density: 2 },
  { name: "tablet", colorScheme: "light", width: 820, height: 1100, density: 2 },
  { name: "tablet-dark", colorScheme: "dark", width: 820, height: 1100, density: 1 },
  { name: "phone", colorScheme: "light", width: 390, height: 844, density: 2 },
  { name: "phone-dark", colorScheme: "dark", width: 390, height: 844, density: 1 },
] as const;

/** Pages that show figures of this moment. */
const IS_LIVE = new Set([
  "overview",
  "problems",
  "schedules",
  "batches",
  "batch",
  "plan",
  "stopped",
  "done",
  "activities",
  "jobs",
  "workers",
  "about",
]);
const HAS_CHART = new Set(["overview", "batch", "done", "jobs"]);

/** https://github.com/dequelabs/axe-core */
const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

// As in dashboard.browser.test.ts, which says so where it is skipped.
describe.runIf(possible)("the pages, as they look", () => {
  let redis: RedisServer;
  let harness: Harness;
  let dashboard: DashboardHarness;
  let locked: DashboardHarness;
  let browser: Browser;
  let pages: Readonly<Record<string, string>>;

  beforeAll(async () => {
    // One that keeps its data, as it should be: the pages would warn of any other.
    redis = await startRedis({ appendonly: true });
    harness = await startHarness({ redis: redis.url });
    const { prefix, config } = harness;
    dashboard = await startDashboardHarness({ prefix, documentsUrl: config.documentsUrl, redis: redis.url });
    locked = await startDashboardHarness({ prefix, redis: redis.url, env: accounts().env });
    browser = await startBrowser();
    pages = {
      overview: "/",
      batches: "/batches",
      form: "/batches/new",
      activities: "/jobs",
      jobs: "/jobs/copy-object?state=failed",
      problems: "/problems",
      search: "/search?text=img-",
      schedules: "/schedules",
      profiles: "/profiles",
      documents: "/documents",
      quarantine: "/quarantine",
      audit: "/audit",
      workers: "/workers",
      about: "/about",
      api: "/docs",
      nowhere: "/nowhere",
      ...(await fill()),
    };
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await locked.close();
    await dashboard.close();
    await harness.close();
    await redis.stop();
  });

  test.each(LOOKS)(
    "$name: every page draws without an error, is no wider than the screen, and is accessible",
    async ({ name, ...look }) => {
      const { page, context, problems } = await openPage(browser, dashboard.url, look);
      for (const [title, path] of Object.entries(pages)) {
        await page.goto(path);
        await page.getByRole("heading", { level: 1 }).waitFor();
        if (IS_LIVE.has(title)) await page.getByText("Live", { exact: true }).waitFor();
        if (HAS_CHART.has(title)) await page.locator(".uplot canvas").first().waitFor();
        await expect.poll(() => page.getByText("Loading…").count(), { timeout: 10_000 }).toBe(0);
        await expectLegible(page, title);
        await keep(page, `${title}-${name}`);
      }
      await context.close();
      expect(problems).toEqual([]);
    },
    240_000,
  );

  test.each(LOOKS)("$name: so is the page to sign in, also after a wrong password", async ({ name, ...look }) => {
    const { page, context, problems } = await openPage(browser, locked.url, look);
    await page.goto("/batches");
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await expectLegible(page, "login");
    await keep(page, `login-${name}`);
    await page.getByLabel("Name").fill("ada");
    await page.getByLabel("Password").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("The name or the password is wrong.").waitFor();
    await expectLegible(page, "login");
    await context.close();
    expect(problems).toEqual([]);
  });

  test.each([LOOKS[0], LOOKS[5]])(
    "$name: so is what opens over a page, or within it",
    async ({ name: _name, ...look }) => {
      const { page, context, problems } = await openPage(browser, dashboard.url, look);
      const open = async (path: string | undefined) => {
        await page.goto(path ?? "");
        await page.locator("main[aria-busy=false] h1").waitFor();
        await expect.poll(() => page.getByText("Loading…").count(), { timeout: 10_000 }).toBe(0);
      };
      const dialog = async (name: string | RegExp) => {
        await page.getByRole("dialog", { name }).waitFor();
        await expectLegible(page, `dialog ${name}`);
        await page.keyboard.press("Escape");
        await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
      };
      await open("/");
      await page.keyboard.press("?");
      await dialog("Keys");
      await page.keyboard.press("Control+k");
      await dialog("Find");
      await page.locator(".chart-table summary").first().click();
      await expectLegible(page, "chart as a table");
      await open(pages["batch"]);
      await page.getByRole("button", { name: "Cancel" }).click();
      await dialog(/^Cancel/);
      await page.getByText("All options").click();
      await expectLegible(page, "options of a batch");
      await open(pages["plan"]);
      await page.getByRole("button", { name: "Confirm and start" }).click();
      await dialog(/^Start/);
      await open(pages["problem"]);
      await page.getByRole("button", { name: "Acknowledge" }).click();
      await dialog(/./);
      await open("/schedules");
      await page.getByRole("button", { name: "Edit" }).first().click();
      for (const summary of ["What each run asks for", "Who did what"]) await page.getByText(summary).first().click();
      await expectLegible(page, "schedule");
      await open("/batches/new");
      for (const summary of ["Filter", "Options"]) await page.getByText(summary, { exact: true }).click();
      await page.getByRole("button", { name: "Dry run first" }).click();
      await page.getByText("This is needed.").first().waitFor();
      await expectLegible(page, "form with errors");
      await context.close();
      expect(problems).toEqual([]);
    },
    120_000,
  );

  async function expectLegible(page: Page, title: string): Promise<void> {
    await page.evaluate("document.fonts.ready");
    expect([title, await page.evaluate("document.documentElement.scrollWidth - innerWidth")]).toEqual([title, 0]);
    expect([title, await page.evaluate(CUT_FIGURES)]).toEqual([title, []]);
    expect([title, await violations(page)]).toEqual([title, []]);
    expect([title, await tooMuch(page, title)]).toEqual([title, []]);
  }

  test.each([1, 2, 3])("the labels of charts are as large as text at %i times the pixels", async (density) => {
    const { page, context } = await openPage(browser, dashboard.url, { density });
    await page.goto("/");
    const canvas = page.locator(".uplot canvas").first();
    await canvas.waitFor();
    const font = await canvas.evaluate((element) => {
      const context2d = (element as unknown as { getContext(kind: "2d"): { font: string } }).getContext("2d");
      return context2d.font;
    });
    expect(Number.parseFloat(/([\d.]+)px/.exec(font)?.[1] ?? "0") / density).toBeGreaterThanOrEqual(11);
    await context.close();
  });

  /** In the folder of the documentation where that is asked for, and everywhere else nowhere. */
  async function keep(page: Page, name: string): Promise<void> {
    if (folder === undefined || !(KEPT.has(name) || process.env["SCREENSHOTS_ALL"])) return;
    const image = await page.screenshot({ fullPage: process.env["SCREENSHOTS_ALL"] !== undefined });
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `${name}.png`), image);
  }

  /** A system at work: jobs of the last minutes, a batch that runs, others that ended, and what went wrong. */
  async function fill(): Promise<Record<string, string>> {
    const { sandbox, producer, prefix } = harness;
    for (const bucket of ["photos", "archive", "logs"]) sandbox.createBucket(bucket);
    for (let i = 0; i < 60; i++)
      sandbox.put("photos", `2026/11/img-${String(i).padStart(4, "0")}.jpg`, "x".repeat(2000));
    // Enough to be at work in every look.
    for (let i = 0; i < 9600; i++)
      sandbox.put(
        "logs",
        `2025/${String((i % 12) + 1).padStart(2, "0")}/app-${String(i).padStart(4, "0")}.log`,
        "line\n".repeat(400),
      );
    sandbox.fault({ kind: "status", operation: "CopyObject", key: /app-\d\d13/, status: 403, code: "AccessDenied" });
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
    const stopped = await start({ operation: "delete", source: { bucket: "misspelt", prefix: "old/" } });
    await vi.waitUntil(async () => (await state(stopped)) === "failed", { timeout: 20_000 });
    await producer.schedule("inventory-hourly", { every: "1h" }, "list-objects", { bucket: "photos" });
    await producer.schedule("nightly-check", { cron: "0 3 * * *", timezone: "Europe/Berlin" }, "head-bucket", {
      bucket: "logs",
    });
    await producer.schedule("broken-hourly", { every: "1h" }, "head-bucket", { bucket: "misspelt" });
    const seenAt = new Date(Date.now() - 240_000).toISOString();
    const lost = {
      id: "3f2c",
      host: "worker-7",
      pid: 4411,
      running: 2,
      jobs: ["copy-object/1", "copy-object/2"],
      seenAt,
    };
    await dashboard.redis.hset(redisKeys(prefix).lostWorkers(), "3f2c", JSON.stringify(lost));
    const torn = JSON.stringify({
      at: new Date().toISOString(),
      reason: "data is no JSON",
      raw: `{"data":"torn`,
    });
    await dashboard.redis.hset(redisKeys(prefix).quarantine(), "head-object/torn-1", torn);
    const key = `${"deep/".repeat(180)}\u202egnp.exe`;
    const hostile = await producer.enqueue("head-object", { object: { bucket: "photos", key } });
    await hostile.succeeded({ timeout: 20_000 });
    const failed = jobs[19]?.id ?? "";
    const problem = async () => (await dashboard.send(`/api/jobs/copy-object/${failed}`)).json()["problem"];
    await vi.waitUntil(async () => (await problem()) !== undefined, { timeout: 20_000 });
    const bulk = { action: "forget", filter: { text: hostile.id } };
    const action = (await dashboard.send("/api/bulk", { method: "POST", body: bulk })).json();
    return {
      batch: `/batches/${running}`,
      done: `/batches/${done}`,
      plan: `/batches/${planned}`,
      stopped: `/batches/${stopped}`,
      job: `/jobs/copy-object/${failed}`,
      problem: `/problems/${String(await problem())}`,
      bulk: `/bulk/${String(action["id"])}`,
      "long-key": `/jobs/head-object/${hostile.id}`,
    };
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

test("every picture of the documentation is taken here, and shown there", async () => {
  const root = join(import.meta.dirname, "..");
  const texts = await Promise.all(["README.md", "docs/dashboard.md"].map((name) => readFile(join(root, name), "utf8")));
  const shown = new Set(
    texts.flatMap((text) => [...text.matchAll(/screenshots\/([\w-]+)\.png/g)].map(([, name]) => name)),
  );
  const taken = (await readdir(join(root, "docs/screenshots"))).map((name) => name.replace(/\.png$/, ""));
  expect([new Set(taken), shown]).toEqual([KEPT, KEPT]);
});

/** What axe finds: the rule, and the first elements that break it. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  const { violations: found } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
    `axe.run(document, { runOnly: ${JSON.stringify(RULES)}, resultTypes: ["violations"] })`,
  );
  return found.map(
    ({ id, nodes }) =>
      `${id}: ${nodes
        .slice(0, 3)
        .map(({ html }) => html.slice(0, 160))
        .join(" | ")}`,
  );
}

/** A name of 900 characters is a headline of one line, and an error names its request once. */
async function tooMuch(page: Page, title: string): Promise<readonly string[]> {
  const height = await page.evaluate<number>("document.querySelector('h1').offsetHeight");
  const requests = (await page.locator(".alert").allTextContents()).flatMap((text) => text.match(/request /g) ?? []);
  return [
    ...(title === "long-key" && height >= 60 ? [`a headline of ${height} px`] : []),
    ...(title === "job" && requests.length !== 1 ? [`${requests.length} names of a request`] : []),
  ];
}

/** Figures in tables that are cut off by the box that scrolls them: 84 would read 8. */
const CUT_FIGURES = `[...document.querySelectorAll(".table-wrap")].flatMap((box) =>
  box.scrollWidth > box.clientWidth + 1 ? [box.textContent.trim().slice(0, 80)] : [])`;
