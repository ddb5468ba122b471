import { request as send } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DashboardHarness, startDashboardHarness } from "../../test/dashboard-harness.ts";

/** A dashboard behind a proxy that signs people in, at a public name. */
let dashboard: DashboardHarness;
beforeAll(async () => {
  dashboard = await startDashboardHarness({
    env: {
      BUCKETLINE_DASHBOARD_TRUSTED_PROXIES: "127.0.0.1",
      BUCKETLINE_DASHBOARD_PROXY_USER_HEADER: "X-Auth-User",
      BUCKETLINE_DASHBOARD_PROXY_GROUPS_HEADER: "X-Auth-Groups",
      BUCKETLINE_DASHBOARD_PROXY_OPERATOR_GROUPS: "ops",
      BUCKETLINE_DASHBOARD_PUBLIC_HOSTS: "queues.example",
    },
  });
});
afterAll(() => dashboard.close());

/** Headers as they go out, line by line. */
async function statusOf(headers: readonly string[], { method = "GET", path = "/api/overview" } = {}): Promise<number> {
  return await new Promise((resolve, reject) => {
    const options = { method, path, headers: ["Host", new URL(dashboard.url).host, ...headers] };
    send(dashboard.url, options, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on("error", reject)
      .end(method === "GET" ? undefined : "{}");
  });
}

describe("a header that signs people in", () => {
  test.each([
    ["once", ["X-Auth-User", "ada"], 200],
    ["in any case", ["x-AUTH-user", "ada"], 200],
    ["twice, as from a proxy that adds its own", ["X-Auth-User", "eve", "X-Auth-User", "ada"], 401],
    ["twice, in two cases", ["X-Auth-User", "eve", "x-auth-user", "ada"], 401],
    ["with underscores", ["X_Auth_User", "ada"], 401],
    ["empty", ["X-Auth-User", ""], 401],
    ["of blanks", ["X-Auth-User", "   "], 401],
    ["with groups twice", ["X-Auth-User", "eve", "X-Auth-Groups", "ops", "X-Auth-Groups", "staff"], 401],
  ])("counts %s: %j", async (_what, headers, status) => {
    expect(await statusOf(headers)).toBe(status);
  });

  test("makes operators of nobody whose groups with underscores say so", async () => {
    const more = ["Content-Type", "application/json", "X_Auth_Groups", "ops"];
    const there = { method: "POST", path: "/api/activities/list-buckets/jobs" };
    expect(await statusOf(["X-Auth-User", "eve", ...more], there)).toBe(403);
  });
});

describe("a page that changes something", () => {
  const there = { method: "POST", path: "/api/activities/list-buckets/jobs" };
  const who = ["X-Auth-User", "ada", "X-Auth-Groups", "ops", "Content-Type", "application/json", "Cookie", "proxy=1"];

  test.each([
    ["at the public name", ["Origin", "https://queues.example"], 202],
    ["at another port of it, which is another server's", ["Origin", "http://queues.example:9999"], 403],
    [
      "at another port of it, where the browser knows it for ours",
      ["Origin", "https://queues.example:8443", "Sec-Fetch-Site", "same-origin"],
      202,
    ],
    ["at another name of its site", ["Origin", "https://evil.queues.example"], 403],
    ["with the name in front of its own", ["Origin", "https://queues.example.evil.example"], 403],
    ["with the name as its user", ["Origin", "https://queues.example@evil.example"], 403],
  ])("is %s: %j", async (_what, headers, status) => {
    expect(await statusOf([...who, ...headers], there)).toBe(status);
  });
});

describe("a foreign page that makes a browser look", () => {
  const who = ["X-Auth-User", "ada", "X-Auth-Groups", "ops"];
  const from = (site: string, mode: string) => [...who, "Sec-Fetch-Site", site, "Sec-Fetch-Mode", mode];

  test.each(["/api/overview", "/api/events", "/api/batches/b12345678/events", "/api/search?text=a"])(
    "is refused %s, and a link to it is not",
    async (path) => {
      for (const site of ["cross-site", "same-site"])
        expect([site, await statusOf(from(site, "no-cors"), { path })]).toEqual([site, 403]);
      // The stream of everything has no end.
      const plain = path === "/api/events" ? "/api/overview" : path;
      const seen = [from("cross-site", "navigate"), from("same-origin", "cors")].map((headers) =>
        statusOf(headers, { path: plain }),
      );
      expect((await Promise.all(seen)).every((status) => status === 200 || status === 404)).toBe(true);
    },
  );

  test("is refused a secret by a link as well", async () => {
    const path = "/api/jobs/presign-object/none?reveal=true";
    expect(await statusOf(from("cross-site", "navigate"), { path })).toBe(403);
    expect(await statusOf(from("same-origin", "cors"), { path })).toBe(404);
  });
});
