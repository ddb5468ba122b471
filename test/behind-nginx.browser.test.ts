import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChromium, openPage, startBrowser } from "./browser.ts";
import { accounts, type DashboardHarness, startDashboardHarness } from "./dashboard-harness.ts";
import { askThrough, findNginx, type Nginx, startNginx } from "./nginx.ts";

// Skipped only where there is no nginx or no Chromium; CI installs both.
describe.skipIf(findNginx() === undefined || findChromium() === undefined)(
  "behind nginx, with TLS, below /ops/",
  () => {
    let known: ReturnType<typeof accounts>;
    /** One that was told where it is, and one that learns it from the proxy. */
    let told: DashboardHarness;
    let learns: DashboardHarness;
    let nginx: Nginx;
    let browser: Browser;

    beforeAll(async () => {
      known = accounts();
      const env = {
        ...known.env,
        BUCKETLINE_DASHBOARD_TRUSTED_PROXIES: "127.0.0.1",
        BUCKETLINE_DASHBOARD_PUBLIC_HOSTS: "ops.example",
      };
      told = await startDashboardHarness({ env: { ...env, BUCKETLINE_DASHBOARD_BASE_PATH: "/ops/" } });
      learns = await startDashboardHarness({ env });
      nginx = await startNginx({
        locations: [
          `location /ops/ { proxy_pass ${told.url}; FORWARDED }`,
          `location /ops/ { proxy_pass ${told.url}/; FORWARDED }`,
          `location /ops/ { proxy_pass ${learns.url}; FORWARDED proxy_set_header X-Forwarded-Prefix /ops; }`,
          `location /ops/ { proxy_pass ${learns.url}/; FORWARDED proxy_set_header X-Forwarded-Prefix /ops; }`,
        ],
      });
      browser = await startBrowser();
    }, 60_000);
    afterAll(async () => {
      await browser?.close();
      await nginx?.[Symbol.asyncDispose]();
      await Promise.all([told?.close(), learns?.close()]);
    });

    test.each([
      [0, "it was told, and the path is kept"],
      [1, "it was told, and the path is taken off"],
      [2, "it learns from the proxy, and the path is kept"],
      [3, "it learns from the proxy, and the path is taken off"],
    ])("pages, files, sign-in, API and events hold (%i: %s)", async (index) => {
      const port = nginx.ports[index] ?? 0;
      const page = await askThrough(port, "/ops/", { headers: { accept: "text/html", "sec-fetch-site": "none" } });
      expect([page.status, page.headers["location"]]).toEqual([303, "/ops/login?next=%2F"]);
      const body = { name: "ada", password: known.password };
      const signedIn = await askThrough(port, "/ops/api/session", { method: "POST", body });
      const [session = ""] = [signedIn.headers["set-cookie"]].flat();
      expect(session).toMatch(/^__Secure-bucketline_session=.*Path=\/ops\/; HttpOnly; Secure; SameSite=Strict$/);
      const headers = { cookie: session.split(";", 1)[0] ?? "" };
      const overview = await askThrough(port, "/ops/", { headers: { ...headers, accept: "text/html" } });
      const addresses = [...overview.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address = ""]) => address);
      expect(addresses.length).toBeGreaterThan(10);
      for (const address of addresses)
        expect([address, (await askThrough(port, address, { headers })).status]).toEqual([address, 200]);
      const events = await askThrough(port, "/ops/api/events", { headers, until: "event: overview" });
      expect(events.text).toContain("event: overview");
      const foreign = { ...headers, origin: "https://evil.example", "sec-fetch-site": "cross-site" };
      const forged = await askThrough(port, "/ops/api/activities/list-buckets/jobs", {
        method: "POST",
        body: {},
        headers: foreign,
      });
      expect(forged.status).toBe(403);
    });

    test("works in a browser: sign-in, live figures, links, bull-board", async () => {
      const base = `https://localhost:${nginx.ports[0]}`;
      const { page, context, problems } = await openPage(browser, base, { ownCertificate: true });
      await page.goto("/ops/jobs");
      await page.waitForURL("**/ops/login?next=%2Fjobs");
      await page.getByLabel("Name").fill("ada");
      await page.getByLabel("Password").fill(known.password);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.waitForURL("**/ops/jobs");
      await page.getByRole("link", { name: "Workers" }).first().click();
      await page.waitForURL("**/ops/workers");
      await page.goto("/ops/");
      await page.getByText("Live", { exact: false }).first().waitFor();
      await page.goto("/ops/queues/");
      await page.getByText("list-buckets").first().waitFor();
      expect(problems).toEqual([]);
      const cookies = await context.cookies(`${base}/ops/`);
      expect(cookies.map(({ name, path }) => [name, path])).toEqual(
        expect.arrayContaining([["__Secure-bucketline_session", "/ops/"]]),
      );
      expect(await context.cookies(`${base}/elsewhere`)).toEqual([]);
      await context.close();
    }, 60_000);
  },
);
