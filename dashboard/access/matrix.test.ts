import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  accounts,
  type DashboardHarness,
  type Sent,
  signIn,
  startDashboardHarness,
} from "../../test/dashboard-harness.ts";
import { createToken } from "../password-hash.ts";

/** Every route that the HTTP API declares and a few of bull-board's, as each kind of caller: one that is added is tried as well. */
type Route = { readonly method: string; readonly path: string };

const BULL_BOARD: readonly Route[] = [
  { method: "GET", path: "/queues/api/queues" },
  { method: "GET", path: "/queues/api/queues/list-buckets/1" },
  { method: "PUT", path: "/queues/api/queues/list-buckets/pause" },
  { method: "PUT", path: "/queues/api/queues/list-buckets/1/clean" },
  { method: "POST", path: "/queues/api/queues/list-buckets/add" },
  { method: "PATCH", path: "/queues/api/queues/list-buckets/1/update-data" },
];
const PAGES: readonly Route[] = ["/", "/jobs", "/metrics"].map((path) => ({ method: "GET", path }));

let dashboard: DashboardHarness;
let known: ReturnType<typeof accounts>;
let routes: readonly Route[];
const over = createToken();

beforeAll(async () => {
  known = accounts();
  const { BUCKETLINE_DASHBOARD_TOKENS: tokens } = known.env;
  dashboard = await startDashboardHarness({
    env: { ...known.env, BUCKETLINE_DASHBOARD_TOKENS: `${tokens}\nover:operator:${over.hash}:expires=2020-01-01` },
  });
  const { paths } = (await dashboard.send("/api/openapi.json", { headers: known.viewer })).json() as unknown as {
    paths: Record<string, Record<string, unknown>>;
  };
  const declared = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => ["get", "post", "put", "patch", "delete"].includes(method))
      .map((method) => ({ method: method.toUpperCase(), path: path.replaceAll(/\{\w+\}/g, "list-buckets") })),
  );
  // Signing in and out is for everybody, and streams do not end by themselves.
  routes = [
    ...declared.filter(({ path }) => path !== "/api/session" && !path.endsWith("/events")),
    ...BULL_BOARD,
    ...PAGES,
  ];
});
afterAll(() => dashboard.close());

async function statuses(headers: Readonly<Record<string, string>>): Promise<readonly (readonly [string, number])[]> {
  const found = [];
  for (const { method, path } of routes) {
    const sent: Sent = { method, headers, ...(method !== "GET" && { body: {} }) };
    found.push([`${method} ${path}`, (await dashboard.send(path, sent)).status] as const);
  }
  return found;
}

const but = (found: readonly (readonly [string, number])[], status: number) =>
  found.filter(([, got]) => got !== status);

describe("every route", () => {
  test("is many", () => {
    expect(routes.length).toBeGreaterThan(30);
  });

  test.each([
    ["nobody", {}],
    ["a token that nobody has", { authorization: "Bearer bl_nothing" }],
    ["a token without a scheme", { authorization: "nothing" }],
    ["a session that nobody has", { cookie: `bucketline_session=${"A".repeat(43)}` }],
    ["a session under the name for TLS that nobody has", { cookie: `__Host-bucketline_session=${"A".repeat(43)}` }],
    ["a proxy's header", { "x-forwarded-user": "ada", "x-forwarded-groups": "admins", "x-real-ip": "127.0.0.1" }],
    ["an address that claims to be this machine's", { "x-forwarded-for": "127.0.0.1", forwarded: "for=127.0.0.1" }],
    [
      "another method or path than asked for",
      { "x-http-method-override": "GET", "x-original-url": "/login", "x-rewrite-url": "/login" },
    ],
  ])("is closed to %s", async (_who, headers) => {
    expect(but(await statuses(headers), 401)).toEqual([]);
  });

  test("is closed to a token after its last day", async () => {
    expect(but(await statuses({ authorization: `Bearer ${over.token}` }), 401)).toEqual([]);
  });

  test("that changes something, or shows content, is closed to a viewer by token and by session", async () => {
    const cookie = await signIn(dashboard, "vic", known.password);
    for (const headers of [known.viewer, { cookie, origin: dashboard.url }]) {
      const writes = (await statuses(headers)).filter(([route]) => !route.startsWith("GET "));
      expect(writes.length).toBeGreaterThan(10);
      expect(but(writes, 403)).toEqual([]);
    }
  });

  test("that changes something is closed to an operator's session from a foreign page, or from nowhere", async () => {
    const cookie = await signIn(dashboard, "ada", known.password);
    const foreign = [{}, { origin: "https://evil.example" }, { origin: "null" }, { "sec-fetch-site": "same-site" }];
    for (const from of foreign) {
      const writes = (await statuses({ cookie, ...from })).filter(([route]) => !route.startsWith("GET "));
      expect(but(writes, 403)).toEqual([]);
    }
  });

  test("is closed under a foreign name, whoever asks", async () => {
    expect(but(await statuses({ ...known.operator, host: "evil.example" }), 421)).toEqual([]);
  });
});
