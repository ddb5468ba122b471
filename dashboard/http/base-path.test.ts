import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accounts, type DashboardHarness, signIn, startDashboardHarness } from "../../test/dashboard-harness.ts";
import { BasePath, createBaseOf, withoutBase } from "./base-path.ts";

describe("a base path", () => {
  test.each([
    ["/ops/", "/ops"],
    ["/ops", "/ops"],
    ["/", ""],
    ["/team-a/s3.queues/", "/team-a/s3.queues"],
  ])("%s is %j", (given, expected) => expect(BasePath.parse(given)).toBe(expected));

  test.each([
    "ops",
    "//evil.example",
    "/ops//x",
    "/ops/..",
    "/./ops",
    "/ops?x",
    "/ops#x",
    "/o ps",
    "/ops\r\nx: y",
    "/%2e%2e",
    "/<script>",
    "/ops\\x",
    "/jobs/",
    "/api",
    `/${"a".repeat(300)}`,
  ])("%j is none", (given) => expect(BasePath.safeParse(given).success).toBe(false));

  test("comes from a trusted proxy alone, where none is set, and only in the form of a path", () => {
    const request = new IncomingMessage(new Socket());
    Object.defineProperty(request.socket, "remoteAddress", { value: "127.0.0.1" });
    const said = (prefix: string, trustedProxies: readonly string[], basePath = "") => {
      request.headers["x-forwarded-prefix"] = prefix;
      return createBaseOf({ basePath, trustedProxies })(request);
    };
    expect(said("/ops/", ["127.0.0.1"])).toBe("/ops");
    expect(said("/ops", [])).toBe("");
    expect(said("/ops", ["10.0.0.1"])).toBe("");
    expect(said("/ops", ["127.0.0.1"], "/here")).toBe("/here");
    for (const hostile of ["//evil.example", '/"><script>', "https://evil.example", "/a, /b", "/api"])
      expect([hostile, said(hostile, ["127.0.0.1"])]).toEqual([hostile, ""]);
  });

  test.each([
    ["/ops/api/overview?x=/ops/", "/api/overview?x=/ops/"],
    ["/api/overview", "/api/overview"],
    ["/ops", "/"],
    ["/ops?x=1", "/?x=1"],
    ["/opsx/api", "/opsx/api"],
    ["/ops/ops/", "/ops/"],
  ])("leaves of %s what lies within: %s", (url, within) => expect(withoutBase(url, "/ops")).toBe(within));
});

describe("a dashboard with a base path", () => {
  let dashboard: DashboardHarness;
  let known: ReturnType<typeof accounts>;
  beforeAll(async () => {
    known = accounts();
    dashboard = await startDashboardHarness({ env: { ...known.env, BUCKETLINE_DASHBOARD_BASE_PATH: "/ops/" } });
  });
  afterAll(() => dashboard.close());

  test("answers below it, whether or not a proxy took it off, and nowhere else", async () => {
    for (const path of ["/ops/api/overview", "/api/overview"])
      expect([path, (await dashboard.send(path, { headers: known.viewer })).status]).toEqual([path, 200]);
    for (const path of ["/opsx/api/overview", "/ops/ops/api/overview", "/ops//api/overview", "/OPS/api/overview"])
      expect([path, (await dashboard.send(path, { headers: known.viewer })).status]).toEqual([path, 404]);
  });

  test("leads to its own sign-in and comes back to the page that was asked for", async () => {
    const { status, headers } = await dashboard.send("/ops/jobs?state=failed", { headers: { accept: "text/html" } });
    expect([status, headers["location"]]).toEqual([303, "/ops/login?next=%2Fjobs%3Fstate%3Dfailed"]);
  });

  test("names its place in what it enqueues, in its list of activities and in its OpenAPI document", async () => {
    const job = await dashboard.send("/ops/api/activities/list-buckets/jobs", {
      method: "POST",
      body: {},
      headers: known.operator,
    });
    expect(job.headers["location"]).toMatch(/^\/ops\/api\/jobs\/list-buckets\//);
    expect(job.json()).toMatchObject({ url: job.headers["location"] });
    const found = await dashboard.send("/ops/api/activities", { headers: known.viewer });
    expect(found.text).toContain('"/ops/api/activities/list-buckets/jobs"');
    const document = await dashboard.send("/ops/api/openapi.json", { headers: known.viewer });
    expect(document.json()).toMatchObject({ servers: [{ url: "/ops" }] });
  });

  test("keeps its cookies to itself: __Secure- over TLS, since __Host- ones belong to the whole host", async () => {
    const signed = async (headers: Readonly<Record<string, string>>) => {
      const body = { name: "ada", password: known.password };
      const { headers: answered } = await dashboard.send("/ops/api/session", { method: "POST", body, headers });
      return [answered["set-cookie"]].flat().join("\n");
    };
    const plain = await signed({ origin: dashboard.url });
    expect(plain).toMatch(/^bucketline_session=[^;]+;.*Path=\/ops\/;/m);
    const host = new URL(dashboard.url).host;
    const secure = await signed({ origin: `https://${host}` });
    expect(secure).toMatch(/^__Secure-bucketline_session=[^;]+;.*Path=\/ops\/; HttpOnly; Secure; SameSite=Strict$/m);
    expect(secure).not.toContain("__Host-");
  });

  test("ends a session where it began", async () => {
    const cookie = await signIn(dashboard, "ada", known.password);
    const out = await dashboard.send("/ops/api/session", {
      method: "DELETE",
      headers: { cookie, origin: dashboard.url },
    });
    expect([out.status, String(out.headers["set-cookie"])]).toEqual([204, expect.stringContaining("Path=/ops/")]);
    expect((await dashboard.send("/ops/api/overview", { headers: { cookie } })).status).toBe(401);
  });

  test("serves bull-board where it is", async () => {
    const { text } = await dashboard.send("/ops/queues/", { headers: known.viewer });
    expect(text).toContain('<base href="/ops/queues/"');
    const logo = /"path":"\.\.(\/assets\/[^"]+)"/.exec(text)?.[1];
    expect((await dashboard.send(`/ops${logo}`)).status).toBe(200);
  });
});
