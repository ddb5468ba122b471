import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  accounts,
  type DashboardHarness,
  type Sent,
  signIn,
  startDashboardHarness,
} from "../../test/dashboard-harness.ts";

type Accounts = ReturnType<typeof accounts>;

/** Every request that could change something, one for each writing route of the API and of bull-board. */
const WRITES: readonly (readonly [path: string, sent: Sent])[] = [
  ["/api/activities/list-buckets/jobs", { method: "POST", body: {} }],
  ["/api/activities/delete-object/jobs", { method: "POST", body: { object: { bucket: "abc", key: "k" } } }],
  ["/api/jobs/list-buckets/some-id/cancel", { method: "POST" }],
  ["/api/jobs/list-buckets/some-id/retry", { method: "POST" }],
  ["/api/problems/abc/acknowledge", { method: "POST", body: {} }],
  ["/api/problems/abc/mute", { method: "POST", body: {} }],
  ["/api/problems/abc/reopen", { method: "POST" }],
  ["/api/bulk", { method: "POST", body: { action: "retry", filter: {} } }],
  ["/api/profiles/default/test", { method: "POST" }],
  ["/api/schedules/list-buckets/nightly/pause", { method: "POST" }],
  ["/api/schedules/list-buckets/nightly/resume", { method: "POST" }],
  ["/api/schedules/list-buckets/nightly/run", { method: "POST" }],
  ["/api/schedules/list-buckets/nightly/rule", { method: "POST", body: { every: "1h" } }],
  ["/api/schedules/list-buckets/nightly", { method: "DELETE" }],
  ["/api/quarantine/list-buckets/some-id", { method: "DELETE" }],
  ["/api/documents?name=a", { method: "POST", body: "content" }],
  ["/api/documents/abc", { method: "DELETE" }],
  ["/api/documents/abc", { method: "GET" }],
  ["/api/batches", { method: "POST", body: { operation: "delete", source: { bucket: "abc" } } }],
  ["/api/batches/b12345678/retry-failed", { method: "POST" }],
  ["/api/batches/b12345678/pause", { method: "POST" }],
  ["/api/batches/b12345678/resume", { method: "POST" }],
  ["/api/batches/b12345678/cancel", { method: "POST" }],
  ["/api/batches/b12345678/confirm", { method: "POST" }],
  ["/api/batches/b12345678/priority", { method: "POST", body: { priority: 1 } }],
  ["/api/batches/b12345678/rate", { method: "POST", body: { maxObjectsPerSecond: 1 } }],
  ["/api/queues/list-buckets/pause", { method: "POST" }],
  ["/api/queues/list-buckets/resume", { method: "POST" }],
  ["/queues/api/queues/pause", { method: "PUT" }],
  ["/queues/api/queues/list-buckets/pause", { method: "PUT" }],
  ["/queues/api/queues/list-buckets/empty", { method: "PUT" }],
  ["/queues/api/queues/list-buckets/obliterate", { method: "PUT", body: {} }],
  ["/queues/api/queues/list-buckets/clean/failed", { method: "PUT" }],
  ["/queues/api/queues/list-buckets/retry/failed", { method: "PUT" }],
  ["/queues/api/queues/list-buckets/some-id/clean", { method: "PUT" }],
  ["/queues/api/queues/list-buckets/some-id/update-data", { method: "PATCH", body: {} }],
  ["/queues/api/queues/list-buckets/add", { method: "POST", body: { name: "x", data: {} } }],
];
const READS = [
  "/",
  "/jobs",
  "/metrics",
  "/api/overview",
  "/api/openapi.json",
  "/api/jobs/list-buckets",
  "/api/batches",
  "/queues/",
  "/queues/api/queues",
  "/queues/static/images/logo.svg",
];

describe("without a login", () => {
  let dashboard: DashboardHarness;
  beforeAll(async () => {
    dashboard = await startDashboardHarness();
  });
  afterAll(() => dashboard.close());

  test("whoever is on this machine may look and change", async () => {
    expect((await dashboard.send("/api/overview")).status).toBe(200);
    const enqueued = await dashboard.send("/api/activities/list-buckets/jobs", { method: "POST", body: {} });
    expect(enqueued.status).toBe(202);
  });

  test.each([
    ["two hosts", (host: string) => `GET /login HTTP/1.1\r\nHost: ${host}\r\nHost: attacker.example\r\n`],
    ["a host in its address", (host: string) => `GET http://attacker.example/login HTTP/1.1\r\nHost: ${host}\r\n`],
  ])("a request with %s is nobody's: a proxy may have gone by the other", async (_, requestTo) => {
    const { host, hostname, port } = new URL(dashboard.url);
    const socket = connect(Number(port), hostname);
    socket.end(`${requestTo(host)}Connection: close\r\n\r\n`);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 421 /);
  });

  test.each([
    "attacker.example",
    "attacker.example:8420",
    "127.0.0.1.attacker.example",
    "localhost.attacker.example",
    "0.0.0.0",
  ])("a page that points its own name %s here gets nothing", async (host) => {
    for (const path of ["/", "/api/overview", "/assets/app.js", "/nothing"]) {
      const answer = await dashboard.send(path, { headers: { host } });
      expect([path, answer.status]).toEqual([path, 421]);
    }
  });

  test.each(["localhost", "localhost:8420", "127.0.0.1:1", "[::1]:8420", "LOCALHOST"])(
    "%s is this machine",
    async (host) => {
      expect((await dashboard.send("/api/overview", { headers: { host } })).status).toBe(200);
    },
  );

  test.each([
    { origin: "https://attacker.example" },
    { origin: "null" },
    { origin: "http://127.0.0.1:1" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "http://localhost.attacker.example", "sec-fetch-site": "cross-site" },
  ])("a foreign page cannot make a browser change anything: %j", async (headers) => {
    for (const [path, sent] of WRITES) {
      const answer = await dashboard.send(path, { ...sent, headers });
      expect([path, answer.status, answer.json()["code"]]).toEqual([path, 403, "ForeignOrigin"]);
    }
  });

  test("its own pages may", async () => {
    const headers = { origin: dashboard.url, "sec-fetch-site": "same-origin" };
    const answer = await dashboard.send("/api/activities/list-buckets/jobs", { method: "POST", body: {}, headers });
    expect(answer.status).toBe(202);
  });
});

describe("with a login", () => {
  let dashboard: DashboardHarness;
  let known: Accounts;
  beforeAll(async () => {
    known = accounts();
    dashboard = await startDashboardHarness({ env: known.env });
  });
  afterAll(() => dashboard.close());

  test("nobody sees anything without signing in", async () => {
    for (const path of READS) {
      const answer = await dashboard.send(path);
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.headers["www-authenticate"]).toMatch(/^Bearer/);
    }
    for (const [path, sent] of WRITES) expect([path, (await dashboard.send(path, sent)).status]).toEqual([path, 401]);
  });

  test("a browser is taken to the login page and brought back", async () => {
    const answer = await dashboard.send("/jobs/copy-object?state=failed", { headers: { accept: "text/html,*/*" } });
    expect(answer.status).toBe(303);
    expect(answer.headers["location"]).toBe(`/login?next=${encodeURIComponent("/jobs/copy-object?state=failed")}`);
    const login = await dashboard.send("/login");
    expect(login.status).toBe(200);
    expect(login.text).toContain("Sign in");
  });

  test("a viewer may look at everything", async () => {
    for (const path of READS)
      expect([path, (await dashboard.send(path, { headers: known.viewer })).status]).toEqual([path, 200]);
  });

  test("a viewer can change nothing", async () => {
    for (const [path, sent] of WRITES) {
      const answer = await dashboard.send(path, { ...sent, headers: known.viewer });
      expect([sent.method, path, answer.status, answer.json()["code"]]).toEqual([sent.method, path, 403, "Forbidden"]);
    }
    const keys = await dashboard.redis.keys(`${dashboard.prefix}:*`);
    // BullMQ notes its version when a queue is looked at.
    expect(keys.filter((key) => !key.endsWith(":meta"))).toEqual([]);
  });

  test("the writes that were tried are all that the API has", async () => {
    const { paths } = (await dashboard.send("/api/openapi.json", { headers: known.viewer })).json() as unknown as {
      paths: Record<string, Record<string, unknown>>;
    };
    const declared = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => !["get", "head"].includes(method))
        .map((method) => `${method} ${path}`),
    );
    const tried = WRITES.map(
      ([path, { method = "GET" }]) => [method.toLowerCase(), path.split("?", 1)[0] ?? ""] as const,
    );
    const untried = declared.filter((operation) => {
      const [method, template = ""] = operation.split(" ");
      const pattern = new RegExp(`^${template.replaceAll(/\{\w+\}/g, "[^/]+")}$`);
      return !tried.some(([own, path]) => own === method && pattern.test(path));
    });
    // Enqueuing is one handler for all activities, and signing in and out is for everybody.
    expect(untried.filter((operation) => !/\/api\/activities\/|\/api\/session/.test(operation))).toEqual([]);
  });

  test("an operator's token may change things; a wrong one is nobody, also beside a cookie", async () => {
    const enqueue: Sent = { method: "POST", body: {} };
    const path = "/api/activities/list-buckets/jobs";
    expect((await dashboard.send(path, { ...enqueue, headers: known.operator })).status).toBe(202);
    const cookie = await signIn(dashboard, "ada", known.password);
    for (const authorization of [
      "Bearer wrong",
      "Bearer ",
      "Basic YWRhOng=",
      known.operator.authorization.slice(0, -1),
    ]) {
      const headers = { authorization, cookie, origin: dashboard.url };
      expect([authorization, (await dashboard.send(path, { ...enqueue, headers })).status]).toEqual([
        authorization,
        401,
      ]);
    }
  });

  test("a session is a strict, hidden cookie; its id is nowhere in Redis; signing out ends it", async () => {
    const answer = await dashboard.send("/api/session", {
      method: "POST",
      body: { name: "ada", password: known.password },
    });
    const [header = ""] = [answer.headers["set-cookie"]].flat();
    expect(header).toMatch(/HttpOnly/);
    expect(header).toMatch(/SameSite=Strict/);
    const cookie = header.split(";", 1)[0] ?? "";
    const id = cookie.split("=", 2)[1] ?? "";
    expect((await dashboard.send("/api/overview", { headers: { cookie } })).status).toBe(200);
    const [key = ""] = await dashboard.redis.keys(`${dashboard.prefix}:~dashboard:session:*`);
    expect(key).not.toContain(id);
    expect(await dashboard.redis.get(key)).not.toContain(id);
    const out = await dashboard.send("/api/session", { method: "DELETE", headers: { cookie, origin: dashboard.url } });
    expect(out.status).toBe(204);
    expect((await dashboard.send("/api/overview", { headers: { cookie } })).status).toBe(401);
  });

  test("a cookie alone, without the word of a browser where it comes from, changes nothing", async () => {
    const cookie = await signIn(dashboard, "ada", known.password);
    const sent: Sent = { method: "POST", body: {} };
    const path = "/api/activities/list-buckets/jobs";
    expect((await dashboard.send(path, { ...sent, headers: { cookie } })).json()["code"]).toBe("ForeignOrigin");
    expect(
      (await dashboard.send(path, { ...sent, headers: { cookie, origin: "https://attacker.example" } })).status,
    ).toBe(403);
    expect((await dashboard.send(path, { ...sent, headers: { cookie, origin: dashboard.url } })).status).toBe(202);
  });

  test("a session made up, cut short or of another dashboard is nobody's", async () => {
    for (const id of ["x", "A".repeat(43), "../../etc", "%00"]) {
      const answer = await dashboard.send("/api/overview", { headers: { cookie: `bucketline_session=${id}` } });
      expect([id, answer.status]).toEqual([id, 401]);
    }
  });

  test("names cannot be found out: an unknown one is answered like a wrong password", async () => {
    const wrong = await dashboard.send("/api/session", { method: "POST", body: { name: "vic", password: "no" } });
    const unknown = await dashboard.send("/api/session", { method: "POST", body: { name: "eve", password: "no" } });
    expect(unknown.status).toBe(401);
    expect(unknown.text).toBe(wrong.text);
  });

  test("headers of a proxy count for nothing where none is trusted", async () => {
    const headers = { "x-forwarded-user": "ada", "x-forwarded-for": "10.0.0.1" };
    expect((await dashboard.send("/api/overview", { headers })).status).toBe(401);
  });
});

test("brute force is stopped, also with the right password, from any address", async () => {
  const known = accounts();
  const dashboard = await startDashboardHarness({ env: { ...known.env, BUCKETLINE_DASHBOARD_LOGINS_PER_MINUTE: "3" } });
  try {
    const attempt = async (password: string) =>
      (await dashboard.send("/api/session", { method: "POST", body: { name: "ada", password } })).status;
    expect([await attempt("a"), await attempt("b"), await attempt("c")]).toEqual([401, 401, 401]);
    const limited = await dashboard.send("/api/session", {
      method: "POST",
      body: { name: "ada", password: known.password },
    });
    expect(limited.status).toBe(429);
    expect(limited.headers["retry-after"]).toBe("60");
    expect(limited.json()).toMatchObject({ code: "TooManyLogins", retryable: true });
  } finally {
    await dashboard.close();
  }
});

test("signing in well does not use the tries up", async () => {
  const known = accounts();
  const dashboard = await startDashboardHarness({ env: { ...known.env, BUCKETLINE_DASHBOARD_LOGINS_PER_MINUTE: "2" } });
  try {
    for (const name of ["ada", "ada", "ada"])
      expect(await signIn(dashboard, name, known.password)).toMatch(/^bucketline_session=/);
  } finally {
    await dashboard.close();
  }
});

test("read-only: nobody can change anything, operators neither", async () => {
  const known = accounts();
  const dashboard = await startDashboardHarness({ env: { ...known.env, BUCKETLINE_DASHBOARD_READ_ONLY: "true" } });
  try {
    for (const [path, sent] of WRITES) {
      const answer = await dashboard.send(path, { ...sent, headers: known.operator });
      expect([path, answer.status, answer.json()["code"]]).toEqual([path, 403, "ReadOnly"]);
    }
    expect((await dashboard.send("/api/overview", { headers: known.operator })).status).toBe(200);
    expect((await dashboard.send("/api/session", { headers: known.operator })).json()).toMatchObject({
      canOperate: false,
      readOnly: true,
    });
  } finally {
    await dashboard.close();
  }
});

describe("behind a trusted proxy", () => {
  let dashboard: DashboardHarness;
  beforeAll(async () => {
    dashboard = await startDashboardHarness({
      env: {
        BUCKETLINE_DASHBOARD_TRUSTED_PROXIES: "127.0.0.0/8",
        BUCKETLINE_DASHBOARD_PROXY_USER_HEADER: "X-Auth-User",
        BUCKETLINE_DASHBOARD_PROXY_GROUPS_HEADER: "X-Auth-Groups",
        BUCKETLINE_DASHBOARD_PROXY_OPERATOR_USERS: "ada",
        BUCKETLINE_DASHBOARD_PROXY_OPERATOR_GROUPS: "s3-operators",
        BUCKETLINE_DASHBOARD_PUBLIC_HOSTS: "queues.example",
      },
    });
  });
  afterAll(() => dashboard.close());

  test.each([
    [{ "x-auth-user": "ada" }, "operator"],
    [{ "x-auth-user": "bob", "x-auth-groups": "staff, s3-operators" }, "operator"],
    [{ "x-auth-user": "bob", "x-auth-groups": "s3-operators-in-name-only" }, "viewer"],
    [{ "x-auth-user": "bob" }, "viewer"],
  ])("%j is an %s", async (headers, role) => {
    expect((await dashboard.send("/api/session", { headers })).json()).toMatchObject({ signedIn: true, role });
  });

  test("without a name nobody is signed in, and other headers do not count", async () => {
    for (const headers of [{}, { "x-auth-user": "" }, { "x-forwarded-user": "ada" }])
      expect((await dashboard.send("/api/overview", { headers })).status).toBe(401);
  });

  test("it may be asked for under its public name, from its own pages there", async () => {
    const headers = { host: "queues.example", "x-auth-user": "ada", origin: "https://queues.example" };
    const answer = await dashboard.send("/api/activities/list-buckets/jobs", { method: "POST", body: {}, headers });
    expect(answer.status).toBe(202);
    expect((await dashboard.send("/", { headers: { ...headers, host: "other.example" } })).status).toBe(421);
  });
});

test("headers of a proxy at another address are anybody's, and so count for nothing", async () => {
  const dashboard = await startDashboardHarness({
    env: {
      BUCKETLINE_DASHBOARD_TRUSTED_PROXIES: "10.9.8.7",
      BUCKETLINE_DASHBOARD_PROXY_USER_HEADER: "X-Forwarded-User",
      BUCKETLINE_DASHBOARD_PROXY_OPERATOR_USERS: "ada",
    },
  });
  try {
    const headers = { "x-forwarded-user": "ada", "x-forwarded-for": "10.9.8.7" };
    expect((await dashboard.send("/api/overview", { headers })).status).toBe(401);
  } finally {
    await dashboard.close();
  }
});

test("too many requests from one address are turned away", async () => {
  const dashboard = await startDashboardHarness({ env: { BUCKETLINE_DASHBOARD_REQUESTS_PER_MINUTE: "10" } });
  try {
    const statuses = [];
    for (let i = 0; i < 12; i++) statuses.push((await dashboard.send("/api/activities")).status);
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 200), 429, 429]);
  } finally {
    await dashboard.close();
  }
});

test("every answer says what a page may do: nothing inline, nothing from elsewhere, in no frame", async () => {
  const dashboard = await startDashboardHarness();
  try {
    for (const path of ["/", "/login", "/api/overview", "/assets/app.js", "/nothing", "/metrics"]) {
      const { headers } = await dashboard.send(path);
      const policy = String(headers["content-security-policy"]);
      expect([path, policy]).toEqual([path, expect.stringContaining("default-src 'self'")]);
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
      expect(policy).toContain("frame-ancestors 'none'");
      expect(headers["x-content-type-options"]).toBe("nosniff");
    }
    const board = String((await dashboard.send("/queues/")).headers["content-security-policy"]);
    expect(board).toContain("script-src 'self';");
    expect(board).not.toContain("unsafe-eval");
  } finally {
    await dashboard.close();
  }
});
