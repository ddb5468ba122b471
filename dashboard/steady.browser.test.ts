import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { redisKeys } from "../redis/keys.ts";
import { findChromium, openPage, startBrowser, type WatchedPage } from "../test/browser.ts";
import { type DashboardHarness, startDashboardHarness } from "../test/dashboard-harness.ts";
import { type Harness, startHarness } from "../test/harness.ts";

const possible = findChromium() !== undefined || process.env["CI"] !== undefined;

// As in dashboard.browser.test.ts, which says so where it is skipped.
describe.runIf(possible)("whoever works with the pages", () => {
  let harness: Harness;
  let dashboard: DashboardHarness;
  let browser: Browser;
  const opened: WatchedPage[] = [];

  beforeAll(async () => {
    harness = await startHarness();
    dashboard = await startDashboardHarness({ prefix: harness.prefix, documentsUrl: harness.config.documentsUrl });
    browser = await startBrowser();
    for (const bucket of ["in", "out"]) harness.sandbox.createBucket(bucket);
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

  async function open(path: string, options = {}): Promise<Page> {
    const watched = await openPage(browser, dashboard.url, options);
    opened.push(watched);
    await watched.page.goto(path);
    await watched.page.getByRole("heading", { level: 1 }).waitFor();
    return watched.page;
  }

  const startBatch = (prefix: string, more: object = {}) =>
    harness.producer.batches.start({
      operation: "copy",
      source: { bucket: "in", prefix },
      destination: { bucket: "out" },
      ...more,
    });

  test("sees every row of a list move, of whichever state, and not only the newest", async () => {
    for (let i = 0; i < 60; i++) harness.sandbox.put("in", `many/${i}`, "x");
    const started = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        startBatch("many/", {
          label: `Row ${index}`,
          maxObjectsPerSecond: 2,
          destination: { bucket: "out", prefix: `${index}/` },
        }),
      ),
    );
    const page = await open("/batches?state=running");
    await expect.poll(() => page.locator(".batch-row").count(), { timeout: 10_000 }).toBe(12);
    const figures = () => page.locator(".batch-row .line > span:first-child").allTextContents();
    const before = await figures();
    await expect
      .poll(async () => (await figures()).filter((text, index) => text !== before[index]).length, { timeout: 15_000 })
      .toBe(12);
    await Promise.all(started.map((batch) => batch.cancel()));
  });

  test("keeps the place of the keyboard when a button becomes another", async () => {
    for (let i = 0; i < 60; i++) harness.sandbox.put("in", `held/${i}`, "x");
    const batch = await startBatch("held/", { maxObjectsPerSecond: 2 });
    const page = await open(`/batches/${batch.id}`);
    await page.getByRole("button", { name: "Pause" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Resume" }).waitFor();
    await expect.poll(() => page.evaluate("document.activeElement.textContent")).toBe("Resume");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Pause" }).waitFor();
    await expect.poll(() => page.evaluate("document.activeElement.textContent")).toBe("Pause");
    await page.getByLabel("Priority").fill("5");
    await page.keyboard.press("Enter");
    await expect.poll(async () => (await dashboard.send(`/api/batches/${batch.id}`)).json()["priority"]).toBe(5);
    await batch.cancel();
  });

  test("keeps a list whose jobs are the same as it is, element by element", async () => {
    harness.sandbox.put("in", "stuck.txt", "x");
    harness.sandbox.fault({ kind: "stall", key: "stuck.txt" });
    const job = await harness.producer.enqueue("head-object", { object: { bucket: "in", key: "stuck.txt" } });
    await expect.poll(() => job.state()).toBe("active");
    const page = await open("/jobs/head-object?state=active");
    await page.getByRole("link", { name: "s3://in/stuck.txt" }).waitFor();
    await page.evaluate("document.querySelector('.table.jobs tbody tr').kept = true");
    const requests: string[] = [];
    page.on("request", (request) => requests.push(new URL(request.url()).pathname));
    for (let i = 0; i < 3; i++) await harness.run("head-bucket", { bucket: "in" });
    await expect.poll(() => page.getByText("Live", { exact: true }).count()).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 3000)); // what must not happen has no event to wait for
    expect(await page.evaluate("document.querySelector('.table.jobs tbody tr').kept")).toBe(true);
    expect(requests.filter((path) => path.startsWith("/api/jobs/"))).toEqual([]);
    await job.cancel();
  });

  test("hears that a job runs again, and still reads what it failed of before", async () => {
    const job = await harness.producer.enqueue("head-object", { object: { bucket: "in", key: "missing.txt" } });
    await job.succeeded({ timeout: 15_000 });
    const page = await open(`/jobs/head-object/${job.id}`);
    await page.getByText("NoSuchKey", { exact: true }).waitFor();
    harness.sandbox.put("in", "missing.txt", "found");
    await page.evaluate("window.stillHere = true");
    await page.getByRole("button", { name: "Run again" }).click();
    await page.getByText("The job is in its queue again.").waitFor();
    await page.getByText("completed", { exact: true }).waitFor();
    await page.getByText("Before it ran again: NoSuchKey").waitFor();
    expect(await page.evaluate("window.stillHere")).toBe(true);
  });

  test("comes back to where they were: scroll, span of time, what was written into a form", async () => {
    for (let i = 0; i < 30; i++) await harness.run("head-bucket", { bucket: "in" });
    const page = await open("/jobs/head-bucket?state=completed");
    await page.locator(".table.jobs tbody tr").nth(20).waitFor();
    await page.getByRole("button", { name: "1h" }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get("range")).toBe("1h");
    await page.evaluate("scrollTo(0, 700)");
    await expect.poll(() => page.evaluate("history.state.scroll")).toBe(700);
    await page.locator(".table.jobs tbody tr").nth(15).getByRole("link").first().click();
    await page.getByText("Last attempt started").waitFor();
    await page.goBack();
    await page.locator(".table.jobs tbody tr").nth(20).waitFor();
    await expect.poll(() => page.evaluate("scrollY")).toBe(700);
    expect(await page.getByRole("button", { name: "1h" }).getAttribute("aria-pressed")).toBe("true");
    await page.goto("/batches/new");
    await page.getByLabel("Source bucket").fill("half-written");
    await page.getByRole("radio", { name: /^Delete/ }).check();
    await page.reload();
    await expect.poll(() => page.getByLabel("Source bucket").inputValue()).toBe("half-written");
    expect(await page.getByRole("radio", { name: /^Delete/ }).isChecked()).toBe(true);
  });

  test("is never shown another page's figures under a new address, and needs no click where the first answer failed", async () => {
    const page = await open("/");
    await page.getByText("Live", { exact: true }).waitFor();
    let failures = 2;
    await page.route(/\/api\/batches\?/, async (route) => {
      if (failures === 0) return route.continue();
      failures -= 1;
      await new Promise((resolve) => setTimeout(resolve, 1500)); // as slow as the test says
      return route.fulfill({
        status: 503,
        contentType: "application/problem+json",
        body: '{"title":"Service Unavailable"}',
      });
    });
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Batches" }).click();
    await page.getByRole("heading", { name: "Batches", level: 1 }).waitFor({ timeout: 1000 });
    expect(await page.locator("dl.tiles").count()).toBe(0);
    await page.getByText("Loading…").waitFor();
    await page.getByText("It is tried again by itself.").waitFor();
    await page.locator(".batch-row").first().waitFor({ timeout: 15_000 });
  });

  test("is led to the last page of a list from beyond its end", async () => {
    const page = await open("/jobs/head-bucket?state=completed&page=9999");
    await page
      .getByText(/of \d+$/)
      .first()
      .waitFor();
    await expect.poll(() => new URL(page.url()).searchParams.get("page")).toMatch(/^[1-9]\d?$/);
    expect(await page.locator(".table.jobs tbody tr").count()).toBeGreaterThan(0);
  });

  test("reads a key as it is, whatever it does to the direction of text", async () => {
    const key = "\u202Egnp.exe\u202C/invoice\u202Efdp.txt";
    const job = await harness.producer.enqueue("head-object", { object: { bucket: "in", key } });
    await job.succeeded({ timeout: 15_000 });
    for (const path of ["/jobs/head-object?state=failed", `/jobs/head-object/${job.id}`]) {
      const page = await open(path);
      await page
        .getByText(String.raw`\u202egnp.exe\u202c/invoice`)
        .first()
        .waitFor();
      expect(await page.locator("body").textContent()).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
      expect(await page.title()).not.toMatch(/[\u202a-\u202e]/);
    }
  });

  test("is told of jobs in quarantine on the overview and beside the navigation", async () => {
    const own = await startDashboardHarness();
    await own.redis.hset(redisKeys(own.prefix).quarantine(), "head-object/1", "{}", "head-object/2", "{}");
    const watched = await openPage(browser, own.url);
    await watched.page.goto("/");
    await watched.page.getByText("2 jobs are in quarantine.").waitFor();
    await watched.page.getByRole("link", { name: /Jobs 2 in quarantine/ }).waitFor();
    await watched.page.getByRole("link", { name: "See what was found" }).click();
    await watched.page.getByRole("heading", { name: "Quarantine" }).waitFor();
    expect(watched.problems).toEqual([]);
    await watched.context.close();
    await own.close();
  });

  test("costs nothing while the tab is hidden, and is up to date when it is not", async () => {
    const page = await open("/");
    await page.getByText("Live", { exact: true }).waitFor();
    const hide = (hidden: boolean) =>
      page.evaluate(`Object.defineProperty(document, "hidden", { value: ${hidden}, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));`);
    const requests: string[] = [];
    await hide(true);
    await page.getByText("Resting", { exact: true }).waitFor();
    await expect.poll(() => streams(dashboard), { timeout: 10_000 }).toBe(0);
    page.on("request", (request) => requests.push(request.url()));
    await harness.run("list-buckets", {});
    expect(requests).toEqual([]);
    await hide(false);
    await page.getByText("Live", { exact: true }).waitFor();
    await expect.poll(() => streams(dashboard), { timeout: 10_000 }).toBe(1);
  });

  test("goes anywhere by keyboard, and finds a job by its id", async () => {
    const job = await harness.producer.enqueue("head-bucket", { bucket: "in" });
    await job.succeeded({ timeout: 15_000 });
    const page = await open("/");
    await page.keyboard.press("g");
    await page.keyboard.press("b");
    await page.getByRole("heading", { name: "Batches", level: 1 }).waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
    await page.keyboard.press("/");
    const find = page.getByRole("dialog", { name: "Find" }).getByRole("searchbox");
    await find.fill("nobody");
    await page.keyboard.press("Enter");
    await page.getByText("Nothing was found").waitFor({ timeout: 30_000 });
    expect(new URL(page.url()).search).toBe("?text=nobody");
    await page.keyboard.press("/");
    await find.fill(job.id);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: job.id, level: 1 }).or(page.getByText(job.id).first()).first().waitFor();
    await expect.poll(() => new URL(page.url()).pathname).toBe(`/jobs/head-bucket/${job.id}`);
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog", { name: "Find" }).waitFor();
  });

  test("knows the zone of every time, and reads it in UTC by resting on it", async () => {
    const batch = await startBatch("many/", { label: "Timed", dryRun: true });
    const page = await open(`/batches/${batch.id}`, { timezone: "America/New_York" });
    await page.getByText(/^Times are America\/New_York \(UTC-0[45]:00\); hover one for UTC\.$/).waitFor();
    const created = page.locator("dt:text-is('Created') + dd time");
    const utc = new Date((await created.getAttribute("datetime")) ?? "");
    const [hour = "", minute] = ((await created.textContent()) ?? "").split(":");
    expect(minute).toBe(String(utc.getUTCMinutes()).padStart(2, "0"));
    expect([4, 5]).toContain((24 + utc.getUTCHours() - Number(hour.slice(-2))) % 24);
    expect(await created.getAttribute("title")).toBe(`${utc.toISOString().slice(0, 19).replace("T", " ")} UTC`);
  });

  test("types the bucket's name before anything is deleted that nobody named", async () => {
    for (let i = 0; i < 3; i++) harness.sandbox.put("in", `doomed/${i}`, "x");
    const page = await open("/batches/new");
    await page.getByRole("radio", { name: /^Delete/ }).check();
    await page.getByLabel("Source bucket").fill("in");
    await page.getByLabel("Source prefix", { exact: true }).fill("doomed/");
    await page.getByText("Nothing is deleted before it was counted and confirmed.").waitFor();
    expect(await page.getByRole("button", { name: "Start at once" }).count()).toBe(0);
    await page.getByRole("button", { name: "Dry run first" }).click();
    await page.getByRole("button", { name: "Confirm and start" }).click();
    const dialog = page.getByRole("dialog");
    const go = dialog.getByRole("button", { name: "Start it" });
    await dialog.getByText("3 objects").waitFor();
    expect(await go.isDisabled()).toBe(true);
    await dialog.getByLabel(/^Type/).fill("out");
    expect(await go.isDisabled()).toBe(true);
    await dialog.getByLabel(/^Type/).fill("in");
    await dialog.getByLabel(/Why/).fill("the quarter is over");
    await go.click();
    await page.locator(".timeline li", { hasText: "confirmed the dry run" }).getByText("the quarter is over").waitFor();
    await page.getByText("completed", { exact: true }).waitFor();
    expect(harness.sandbox.keys("in").filter((key) => key.startsWith("doomed/"))).toEqual([]);
  });
});

/** How many event streams are open. */
async function streams(dashboard: DashboardHarness): Promise<number> {
  const { text } = await dashboard.send("/metrics");
  return Number(/^bucketline_dashboard_event_streams (\d+)/m.exec(text)?.[1] ?? Number.NaN);
}
