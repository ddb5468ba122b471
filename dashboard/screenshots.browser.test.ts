import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RedisServer, startRedis } from "../sandbox/index.ts";
import { findChromium, openPage, startBrowser } from "../test/browser.ts";
import { accounts, type DashboardHarness, startDashboardHarness } from "../test/dashboard-harness.ts";
import { type Harness, startHarness } from "../test/harness.ts";
import { putToWork } from "../test/pages/at-work.ts";

const possible = findChromium() !== undefined || process.env["CI"] !== undefined;
/** Where the pictures of the documentation go: `SCREENSHOTS=docs/screenshots vitest run dashboard/screenshots`. */
const folder = process.env["SCREENSHOTS"];
/** Pictures are sharp on a good screen. */
const pixels = folder === undefined ? 1 : 2;

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

/** A window that its user drags smaller, and that turns dark. */
const LOOKS = [
  { name: "light", colorScheme: "light", width: 1280, height: 860 },
  { name: "dark", colorScheme: "dark", width: 1280, height: 860 },
  { name: "tablet", colorScheme: "light", width: 820, height: 1100 },
  { name: "tablet-dark", colorScheme: "dark", width: 820, height: 1100 },
  { name: "phone", colorScheme: "light", width: 390, height: 844 },
  { name: "phone-dark", colorScheme: "dark", width: 390, height: 844 },
] as const;

/** Pages that can be opened at any time, by title. */
const PAGES = {
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
} as const;

/** Pages of what there is only once the system is at work. */
const PAGES_OF_WORK = ["batch", "done", "plan", "stopped", "job", "problem", "bulk", "long-key"] as const;

/** Pages that show figures of this moment. */
const IS_LIVE = new Set<string>([
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
const HAS_CHART = new Set<string>(["overview", "batch", "done", "jobs"]);

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
    pages = { ...PAGES, ...(await putToWork({ harness, dashboard })) };
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await locked.close();
    await dashboard.close();
    await harness.close();
    await redis.stop();
  });

  test.each([...Object.keys(PAGES), ...PAGES_OF_WORK])(
    "%s draws without an error, is no wider than the screen, and is accessible, in every look",
    async (title) => {
      const { page, context, problems } = await openPage(browser, dashboard.url, { ...LOOKS[0], density: pixels });
      await page.goto(pages[title] ?? "");
      await page.getByRole("heading", { level: 1 }).waitFor();
      if (IS_LIVE.has(title)) await page.getByText("Live", { exact: true }).waitFor();
      if (HAS_CHART.has(title)) await page.locator(".uplot canvas").first().waitFor();
      await expect.poll(() => page.getByText("Loading…").count(), { timeout: 10_000 }).toBe(0);
      for (const { name, colorScheme, width, height } of LOOKS) {
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme });
        await expectLegible(page, title);
        await keep(page, `${title}-${name}`);
      }
      await context.close();
      expect(problems).toEqual([]);
    },
  );

  test.each(LOOKS)("$name: so is the page to sign in, also after a wrong password", async ({ name, ...look }) => {
    const { page, context, problems } = await openPage(browser, locked.url, { ...look, density: pixels });
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
  if (await page.evaluate("!window.axe")) await page.evaluate(AXE);
  const { violations: found } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
    `axe.run(document, { runOnly: ${JSON.stringify(RULES)}, resultTypes: ["violations"], preload: false })`,
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
