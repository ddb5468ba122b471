import { readFile } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { redisKeys } from "../redis/keys.ts";
import { findChromium, openPage, startBrowser, type WatchedPage } from "../test/browser.ts";
import { accounts, type DashboardHarness, signIn, startDashboardHarness } from "../test/dashboard-harness.ts";
import { type Harness, startHarness } from "../test/harness.ts";

const possible = findChromium() !== undefined || process.env["CI"] !== undefined;
if (!possible)
  process.stderr.write("Chromium is not installed (apt-get install chromium): the browser tests are skipped\n");

/** As long as a name may be, with all that breaks a careless page. */
const HOSTILE = `<script>alert(1)</script>"'&<img src=x onerror=alert(2)>\`\${7*7}/ü/`.padEnd(1000, "x");

// Chromium is no dependency of ours; CI has it, and then nothing is skipped.
describe.runIf(possible)("an operator", () => {
  let harness: Harness;
  let dashboard: DashboardHarness;
  let browser: Browser;
  let known: ReturnType<typeof accounts>;
  let sessions: Record<"ada" | "vic", string>;
  const opened: WatchedPage[] = [];

  beforeAll(async () => {
    known = accounts();
    harness = await startHarness();
    dashboard = await startDashboardHarness({
      prefix: harness.prefix,
      documentsUrl: harness.config.documentsUrl,
      env: known.env,
    });
    browser = await startBrowser();
    sessions = {
      ada: await signIn(dashboard, "ada", known.password),
      vic: await signIn(dashboard, "vic", known.password),
    };
    for (const bucket of ["in", "out"]) harness.sandbox.createBucket(bucket);
  }, 60_000);
  afterEach(async () => {
    const problems = opened.flatMap((page) => page.problems);
    for (const { context } of opened.splice(0)) await context.close();
    expect(problems).toEqual([]);
    harness.sandbox.clearFaults();
  });
  afterAll(async () => {
    await browser.close();
    await dashboard.close();
    await harness.close();
  });

  async function open(options = {}): Promise<Page> {
    const watched = await openPage(browser, dashboard.url, options);
    opened.push(watched);
    return watched.page;
  }

  /** With a session made beforehand: the form has tests of its own, and a password is costly to check. */
  async function signedIn(name: "ada" | "vic" = "ada", options = {}): Promise<Page> {
    const page = await open(options);
    const [cookie = "", value = ""] = sessions[name].split("=", 2);
    await page.context().addCookies([{ name: cookie, value, url: dashboard.url, httpOnly: true, sameSite: "Strict" }]);
    await page.goto("/");
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    return page;
  }

  test("signs in, is told when the password is wrong, comes back to where the link led, and signs out", async () => {
    const page = await open();
    await page.goto("/workers");
    expect(new URL(page.url()).pathname).toBe("/login");
    await page.getByLabel("Name").fill("ada");
    await page.getByLabel("Password").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("The name or the password is wrong.").waitFor();
    await page.getByLabel("Password").fill(known.password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Workers", level: 1 }).waitFor();
    await page.getByText(`process ${process.pid}`).waitFor();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await page.goto("/");
    expect(new URL(page.url()).pathname).toBe("/login");
  });

  test("is never led to another site by a link to the login page", async () => {
    for (const next of [
      "https://attacker.example/",
      "//attacker.example/",
      "/\\attacker.example",
      "javascript:alert(1)",
    ]) {
      // A page of its own: one that lost its cookies goes to the login by itself, and would meet this navigation.
      const page = await open();
      await page.goto(`/login?next=${encodeURIComponent(next)}`);
      await page.getByLabel("Name").fill("ada");
      await page.getByLabel("Password").fill(known.password);
      await page.keyboard.press("Enter");
      await page.getByRole("navigation", { name: "Pages" }).waitFor();
      expect(new URL(page.url()).origin).toBe(dashboard.url);
    }
  });

  test("sees jobs come in and end without reloading", async () => {
    const page = await signedIn();
    const row = page.getByRole("row", { name: /^head-bucket/ });
    await row.waitFor();
    const completed = row.getByRole("link", { name: /^\d+$/ }).last();
    const before = Number(await completed.textContent());
    const loads = await countLoads(page);
    for (let job = 0; job < 3; job++) await harness.run("head-bucket", { bucket: "in" });
    await expect.poll(async () => Number(await completed.textContent())).toBe(before + 3);
    expect(await loads()).toBe(0);
  });

  test("starts a batch by the form: a dry run counts, a confirm starts it, and it ends before their eyes", async () => {
    for (let i = 0; i < 40; i++) harness.sandbox.put("in", `form/${i}.txt`, "content");
    const page = await signedIn();
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Batches" }).click();
    await page.getByRole("link", { name: "Start a batch" }).first().click();
    await page.getByRole("button", { name: "Dry run first" }).click();
    await expect.poll(() => page.getByText("This is needed.").count()).toBe(2);
    await page.getByLabel("Move").check();
    await page.getByLabel("Source bucket").fill("in");
    await page.getByLabel("Source prefix", { exact: true }).fill("form/");
    await page.getByLabel("Destination bucket").fill("in");
    await page.getByLabel("Destination prefix").fill("form/deeper/");
    await page.getByRole("button", { name: "Dry run first" }).click();
    await page.getByText(/which lies inside its own source/).waitFor();
    await page.getByLabel("Destination bucket").fill("out");
    await page.getByLabel("Destination prefix").fill("moved/");
    await page.getByRole("button", { name: "Dry run first" }).click();
    await page.getByRole("heading", { name: "What would happen" }).waitFor();
    await expect.poll(() => page.locator("dt:text-is('Objects') + dd").textContent()).toBe("40");
    expect(harness.sandbox.keys("out").filter((key) => key.startsWith("moved/"))).toEqual([]);
    await page.getByRole("button", { name: "Confirm and start" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Start it" }).click();
    await page.getByText("100%").waitFor();
    expect(harness.sandbox.keys("out").filter((key) => key.startsWith("moved/"))).toHaveLength(40);
  });

  test("separates globs by commas, but not inside braces", async () => {
    harness.sandbox.put("in", "braces/a.txt", "content");
    const page = await signedIn();
    await page.goto("/batches/new");
    await page.getByLabel("Source bucket").fill("in");
    await page.getByLabel("Source prefix", { exact: true }).fill("braces/");
    await page.getByLabel("Destination bucket").fill("out");
    await page.getByText("Filter", { exact: true }).click();
    await page.getByLabel("Only keys like").fill("**/*.{jpg,png}, {a,{b,c}}/*, raw/*");
    await page.getByLabel("But not").fill("tmp/**,");
    const sent = page.waitForRequest(
      (request) => request.method() === "POST" && request.url().endsWith("/api/batches"),
    );
    await page.getByRole("button", { name: "Dry run first" }).click();
    expect(((await sent).postDataJSON() as { filter: unknown }).filter).toEqual({
      include: ["**/*.{jpg,png}", "{a,{b,c}}/*", "raw/*"],
      exclude: ["tmp/**"],
    });
    await page.getByRole("heading", { name: "What would happen" }).waitFor();
  });

  test("sees 100% of a batch only where everything was tried, and no check mark where the batch itself failed", async () => {
    for (let i = 0; i < 4; i++) harness.sandbox.put("in", `fewer/${i}`, "x");
    const started = await harness.producer.batches.start({
      operation: "delete",
      source: { bucket: "in", prefix: "fewer/" },
    });
    await started.done();
    const record = `${redisKeys(harness.prefix).batches()}:${started.id}`;
    const page = await signedIn();
    const look = async (fields: Readonly<Record<string, string | number>>) => {
      await dashboard.redis.hset(record, fields);
      await page.goto(`/batches/${started.id}`);
    };
    // It found fewer objects than were expected.
    await look({ total: 9 });
    await page.getByText("4 of 4 objects").waitFor();
    await page.getByText("100%", { exact: true }).waitFor();
    await page.getByText("Nothing failed").waitFor();
    // As it stands where the end came before everything was listed, and before everything that was listed was tried.
    await look({ state: "cancelled", succeeded: 2, unattempted: 2 });
    await page.getByText("2 of 9 objects").waitFor();
    await page.getByText("22%", { exact: true }).waitFor();
    expect(await page.getByRole("progressbar").getAttribute("aria-valuenow")).toBe("22");
    expect(await page.getByText("Nothing failed").count()).toBe(0);
    const nowhere = await harness.producer.batches.start({
      operation: "copy",
      source: { bucket: "misspelt", prefix: "" },
      destination: { bucket: "out" },
    });
    await nowhere.done().catch(() => undefined); // it fails: that is what is looked at
    await page.goto(`/batches/${nowhere.id}`);
    await page.getByText("before it found an object").waitFor();
    await page.getByText("The batch itself failed").waitFor();
    expect(await page.getByText(/100%|Nothing failed/).count()).toBe(0);
  });

  test("sees chunks of batches among what runs, and a lone figure as a dot", async () => {
    const own = await startDashboardHarness();
    const key = (name: string) => `${own.prefix}:${name}`;
    await own.redis.lpush(key("batch-chunk:active"), "1", "2", "3");
    await own.redis.zadd(key("~workers"), Date.now() + 60_000, "w");
    await own.redis.set(
      key("~worker:w"),
      JSON.stringify({ id: "w", host: "here", pid: 7, concurrency: { "head-bucket": 8, batches: 8 }, running: 3 }),
    );
    const at = Date.now() - 60_000;
    await own.redis.hset(key("head-bucket:1"), { timestamp: at - 20, processedOn: at - 10, finishedOn: at });
    await own.redis.zadd(key("head-bucket:completed"), at, "1");
    const watched = await openPage(browser, own.url);
    try {
      const { page } = watched;
      await page.goto("/");
      const tile = page.locator("dl.tiles > div", { hasText: "Running" });
      await expect.poll(() => tile.textContent()).toBe("Running3of 16 slots");
      await page.getByRole("row", { name: "here · 7 3 of 16" }).waitFor();
      await expect.poll(() => page.evaluate(COLOURFUL_PIXELS), { timeout: 20_000 }).toBeGreaterThan(10);
    } finally {
      await watched.context.close();
      await own.close();
    }
  });

  test("watches a batch without reloading, pauses and resumes it, retries what failed, and downloads a report that is true", async () => {
    const keys = Array.from({ length: 150 }, (_, index) => `watch/${index}.txt`);
    for (const key of keys) harness.sandbox.put("in", key, key);
    harness.sandbox.put("in", `watch/${HOSTILE}`, "x");
    harness.sandbox.fault({
      kind: "status",
      operation: "CopyObject",
      key: /script|\/7\.txt/,
      status: 403,
      code: "AccessDenied",
      message: "<b>no</b>",
    });
    const started = await dashboard.send("/api/batches", {
      method: "POST",
      headers: known.operator,
      body: {
        operation: "copy",
        source: { bucket: "in", prefix: "watch/" },
        destination: { bucket: "out" },
        maxObjectsPerSecond: 15,
        label: "<i>Watched</i>",
      },
    });
    const page = await signedIn();
    await page.goto("/batches");
    await page.getByRole("link", { name: "<i>Watched</i>" }).click();
    await page.getByRole("heading", { name: "<i>Watched</i>" }).waitFor();
    const loads = await countLoads(page);
    const succeeded = () => page.locator("dt:text-is('Succeeded') + dd").textContent().then(Number);
    // Figures come once a second.
    await expect.poll(succeeded, { timeout: 20_000 }).toBeGreaterThan(0);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText("paused", { exact: true }).waitFor();
    const paused = await succeeded();
    expect(paused).toBeLessThan(149);
    await page.getByRole("button", { name: "Resume" }).click();
    await expect.poll(succeeded, { timeout: 60_000 }).toBe(149);
    await page.getByText("completed", { exact: true }).waitFor();
    expect(await loads()).toBe(0);

    await failuresAreText(page);
    const reported = await downloadReport(page);
    expect(reported.map(({ key }) => key).toSorted()).toEqual([...keys, `watch/${HOSTILE}`].toSorted());
    const failed = reported.filter(({ status }) => status === "failed").map(({ key }) => key);
    expect(failed.toSorted()).toEqual(["watch/7.txt", `watch/${HOSTILE}`].toSorted());

    harness.sandbox.clearFaults();
    await page.getByRole("button", { name: "Retry failed" }).click();
    await page.getByText("This repeats what failed in").waitFor();
    await page.getByText("completed", { exact: true }).waitFor();
    expect(harness.sandbox.keys("out")).toContain(`watch/${HOSTILE}`);
    expect(new URL(page.url()).pathname).not.toBe(`/batches/${String(started.json()["id"])}`);
  }, 120_000);

  /** Hostile keys and messages of the batch over `watch/` are shown as they are. */
  async function failuresAreText(page: Page): Promise<void> {
    const failures = page.locator("table", { hasText: "Reason" });
    await failures.getByText(`s3://in/watch/${HOSTILE}`, { exact: true }).waitFor();
    expect(await page.locator("main b, main i, main img, main script").count()).toBe(0);
    await expect.poll(() => page.getByRole("row", { name: /AccessDenied 2/ }).count()).toBe(1);
  }

  /** As NDJSON, and as CSV with a line for each of 151 objects and one of names. */
  async function downloadReport(page: Page): Promise<readonly { key: string; status: string }[]> {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "NDJSON" }).click(),
    ]);
    const rows = (await readFile(await download.path(), "utf8"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { key: string; status: string });
    const [csv] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "CSV" }).click()]);
    expect((await readFile(await csv.path(), "utf8")).trimEnd().split("\n")).toHaveLength(152);
    return rows;
  }

  test("cancels a batch", async () => {
    for (let i = 0; i < 200; i++) harness.sandbox.put("in", `stop/${i}`, "x");
    const answer = await dashboard.send("/api/batches", {
      method: "POST",
      headers: known.operator,
      body: { operation: "delete", source: { bucket: "in", prefix: "stop/" }, maxObjectsPerSecond: 5 },
    });
    const page = await signedIn();
    await page.goto(`/batches/${String(answer.json()["id"])}`);
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Back" }).click();
    await page.getByText("running", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel the batch" }).click();
    await page.getByText("cancelled", { exact: true }).waitFor();
    await page.getByText(/\d+ not attempted/).waitFor();
    expect(harness.sandbox.keys("in").filter((key) => key.startsWith("stop/")).length).toBeGreaterThan(100);
  });

  test("finds a running job by its id, cancels it, and runs it again", async () => {
    harness.sandbox.put("in", "stuck.txt", "stuck");
    harness.sandbox.fault({ kind: "stall", key: "stuck.txt" });
    const job = await harness.producer.enqueue("head-object", { object: { bucket: "in", key: "stuck.txt" } });
    await expect.poll(() => job.state()).toBe("active");
    const page = await signedIn();
    await page.goto("/jobs");
    await page.getByLabel("Find a job by its id").fill("nobody");
    await page.keyboard.press("Enter");
    await page.getByText("No job has this id").waitFor();
    await page.getByLabel("Find a job by its id").fill(job.id);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "s3://in/stuck.txt" }).waitFor();
    await page.getByText("active", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel the job" }).click();
    await page.getByText("cancelled", { exact: true }).waitFor();
    harness.sandbox.clearFaults();
    await page.getByRole("button", { name: "Run again" }).click();
    await page.getByText("completed", { exact: true }).waitFor();
    await page.getByText('"size": 5').waitFor();
  });

  test("sees hostile keys as text in lists, on the job's page and in bull-board", async () => {
    const object = { bucket: "in", key: HOSTILE };
    const job = await harness.producer.enqueue("head-object", { object });
    await job.succeeded({ timeout: 15_000 });
    const page = await signedIn();
    await page.goto("/jobs/head-object?state=failed");
    await page.getByRole("link", { name: `s3://in/${HOSTILE}` }).click();
    await page.getByRole("heading", { name: `s3://in/${HOSTILE}` }).waitFor();
    expect(await page.locator("main script, main img").count()).toBe(0);
    const over = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
    expect(over).toBe(0);
    await page.goto(`/queues/queue/head-object/${job.id}`);
    await page.getByText("onerror=alert(2)").first().waitFor();
  });

  test("sees a malformed job without any page breaking, and what was found in it without its secrets", async () => {
    const key = (name: string) => `${harness.prefix}:validate-credentials:${name}`;
    await dashboard.redis.hset(key("torn-1"), {
      data: '{"sessionToken":"CANARYsecret","a":<b>',
      name: "x",
      opts: "{}",
      timestamp: "1",
    });
    await dashboard.redis.lpush(key("wait"), "torn-1");
    await dashboard.redis.zadd(key("marker"), 0, "0");
    const page = await signedIn();
    await page.goto("/quarantine");
    await page.getByText("validate-credentials / torn-1").waitFor();
    await page.getByText('"a":<b>').waitFor();
    expect(await page.content()).not.toContain("CANARYsecret");
    await page.getByRole("link", { name: "validate-credentials / torn-1" }).click();
    await page.getByText("MalformedJob").first().waitFor();
    expect(await page.getByRole("button", { name: "Run again" }).count()).toBe(0);
    await page.goto("/jobs/validate-credentials?state=failed");
    await page.getByText("MalformedJob").locator("visible=true").first().waitFor();
    await page.goto("/queues/queue/validate-credentials?status=failed");
    await page.getByText("torn-1").first().waitFor();
    await page.goto("/quarantine");
    await page.getByRole("button", { name: "Forget" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Forget" }).click();
    await page.getByText("No job is in quarantine").waitFor();
  });

  test("as a viewer sees everything and finds no button that changes anything", async () => {
    const job = await harness.producer.enqueue("head-object", { object: { bucket: "in", key: "nobody.txt" } });
    await job.succeeded({ timeout: 15_000 });
    const page = await signedIn("vic");
    await page.goto(`/jobs/head-object/${job.id}`);
    await page.getByText("NoSuchKey").first().waitFor();
    expect(await page.getByRole("button", { name: /Cancel|Run again/ }).count()).toBe(0);
    await page.goto("/batches");
    expect(await page.getByRole("link", { name: "Start a batch" }).count()).toBe(0);
    await page.goto("/batches/new");
    await page.getByText("Only an operator can start a batch.").waitFor();
  });

  test("is told when the connection is lost, and that it is mended", async () => {
    const own = await startDashboardHarness({ prefix: harness.prefix });
    const watched = await openPage(browser, own.url);
    try {
      const { page } = watched;
      await page.goto("/");
      await page.getByText("Live", { exact: true }).waitFor();
      const { config } = own;
      const port = Number(new URL(own.url).port);
      await own.close();
      await page.getByText(/Connection lost\. Figures are from .* Reconnecting/).waitFor();
      await page.getByText("Offline", { exact: true }).waitFor();
      const again = await startDashboardHarness({ prefix: harness.prefix, config: { ...config, port } });
      try {
        await page.getByText("Live", { exact: true }).waitFor({ timeout: 20_000 });
        expect(await page.getByText(/Connection lost/).isVisible()).toBe(false);
      } finally {
        await watched.context.close();
        await again.close();
      }
    } finally {
      await watched.context.close();
    }
  }, 60_000);

  test("gets along with the keyboard alone, and with a choice of theme that stays", async () => {
    const page = await signedIn("ada", { colorScheme: "light" });
    const background = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
    const light = await background();
    await page.keyboard.press("Tab");
    await page.getByText("Skip to content").waitFor();
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    const theme = page.getByRole("button", { name: /^Theme/ });
    await theme.focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    const dark = await background();
    expect(dark).not.toBe(light);
    await page.reload();
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    expect(await background()).toBe(dark);
  });

  test("finds every page usable on a phone: nothing is wider than the screen, and every page has its heading", async () => {
    const page = await signedIn("ada", { width: 360, height: 740 });
    for (const path of [
      "/",
      "/batches",
      "/batches/new",
      "/jobs",
      "/jobs/head-object?state=failed",
      "/quarantine",
      "/workers",
      "/docs",
    ]) {
      await page.goto(path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      expect([path, await page.evaluate("document.documentElement.scrollWidth - innerWidth")]).toEqual([path, 0]);
    }
  });
});

/** How much of the chart of latencies is drawn in colour; its axes are grey. */
const COLOURFUL_PIXELS = `(() => {
  const canvas = document.querySelectorAll(".chart canvas")[1];
  if (!canvas) return 0;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let i = 0; i < data.length; i += 4)
    if (data[i + 3] > 200 && Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) > 90) found++;
  return found;
})()`;

/** Says how often the page was loaded anew since. */
async function countLoads(page: Page): Promise<() => Promise<number>> {
  await page.evaluate("window.stillHere = true");
  return async () => ((await page.evaluate("window.stillHere === true")) ? 0 : 1);
}
