import { createHash } from "node:crypto";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import fastify from "fastify";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  accounts,
  type DashboardHarness,
  type DashboardHarnessOptions,
  startDashboardHarness,
} from "../../test/dashboard-harness.ts";
import { parseDashboardConfig } from "../config.ts";
import { cutSlowBodies } from "../http/cut-slow-bodies.ts";
import { createToken, decoyHash, hashPassword, isPasswordHash, verifyPassword } from "../password-hash.ts";
import { clientOf } from "./entries.ts";

const PROXIED = { BUCKETLINE_DASHBOARD_TRUSTED_PROXIES: "127.0.0.1" };

async function start(env: Readonly<Record<string, string>> = {}, options: DashboardHarnessOptions = {}) {
  const known = accounts();
  const dashboard = await startDashboardHarness({ ...options, env: { ...known.env, ...env } });
  onTestFinished(() => dashboard.close());
  return { dashboard, known };
}

type Given = {
  readonly headers?: Readonly<Record<string, string>>;
  readonly name?: string;
  readonly password?: string;
};

async function trySignIn(dashboard: DashboardHarness, { headers = {}, name = "ada", password = "wrong" }: Given) {
  const answer = await dashboard.send("/api/session", { method: "POST", headers, body: { name, password } });
  const set = [answer.headers["set-cookie"] ?? []].flat();
  const cookieOf = (part: string) => set.find((each) => each.includes(part)) ?? "";
  return { status: answer.status, session: cookieOf("bucketline_session"), device: cookieOf("bucketline_device") };
}

const pair = (cookie: string) => cookie.split(";", 1)[0] ?? "";

describe("a proxy that is trusted for TLS alone", () => {
  test.each([
    { "x-forwarded-user": "ada" },
    { "x-forwarded-user": "anything", "x-forwarded-groups": "admins" },
    { "x-auth-request-user": "ada" },
    { "remote-user": "ada" },
    { "x-forwarded-preferred-username": "ada" },
  ])("signs nobody in by %j", async (headers) => {
    const { dashboard } = await start(PROXIED);
    for (const path of ["/api/overview", "/metrics", "/", "/queues/api/queues"])
      expect([path, (await dashboard.send(path, { headers })).status]).toEqual([path, 401]);
  });

  test("does not count as a login: without one nothing but loopback is listened to", () => {
    const env = { BUCKETLINE_DASHBOARD_HOST: "0.0.0.0", ...PROXIED };
    expect(() => parseDashboardConfig(env)).toThrow(/^LoginRequired/);
  });
});

describe("a proxy that signs people in", () => {
  const env = { ...PROXIED, BUCKETLINE_DASHBOARD_PROXY_GROUPS_HEADER: "X-Groups" };

  test.each([["BUCKETLINE_DASHBOARD_PROXY_OPERATOR_GROUPS"], ["BUCKETLINE_DASHBOARD_PROXY_OPERATORS"]])(
    "makes nobody an operator who is only called like a group: %s",
    async (setting) => {
      const { dashboard } = await start({ ...env, [setting]: "s3-operators" });
      const enqueue = async (headers: Readonly<Record<string, string>>) =>
        (await dashboard.send("/api/activities/list-buckets/jobs", { method: "POST", body: {}, headers })).status;
      expect(await enqueue({ "x-forwarded-user": "s3-operators" })).toBe(403);
      expect(await enqueue({ "x-forwarded-user": "bob", "x-groups": "staff, s3-operators" })).toBe(202);
    },
  );

  test("makes nobody an operator whose group is only called like a user", async () => {
    const { dashboard } = await start({ ...env, BUCKETLINE_DASHBOARD_PROXY_OPERATOR_USERS: "ada" });
    const role = async (headers: Readonly<Record<string, string>>) =>
      (await dashboard.send("/api/session", { headers })).json()["role"];
    expect(await role({ "x-forwarded-user": "bob", "x-groups": "ada" })).toBe("viewer");
    expect(await role({ "x-forwarded-user": "ada" })).toBe("operator");
  });

  test("has to have an address, and operators a header to be named in", () => {
    expect(() => parseDashboardConfig({ BUCKETLINE_DASHBOARD_PROXY_USER_HEADER: "X-User" })).toThrow(
      /BUCKETLINE_DASHBOARD_TRUSTED_PROXIES: expected the addresses/,
    );
    expect(() => parseDashboardConfig({ ...PROXIED, BUCKETLINE_DASHBOARD_PROXY_OPERATORS: "ada" })).toThrow(
      /BUCKETLINE_DASHBOARD_PROXY_OPERATORS: expected BUCKETLINE_DASHBOARD_PROXY_USER_HEADER/,
    );
  });
});

describe("the session's cookie", () => {
  test.each([
    ["the page says that it came by TLS", {}, { origin: "https://ops.example" }],
    ["a trusted proxy says so", PROXIED, { "x-forwarded-proto": "https" }],
  ])("is bound to this host and to TLS where %s", async (_what, env, headers) => {
    const { dashboard, known } = await start({ ...env, BUCKETLINE_DASHBOARD_PUBLIC_HOSTS: "ops.example" });
    const { password } = known;
    const { session } = await trySignIn(dashboard, { headers: { host: "ops.example", ...headers }, password });
    expect(session).toMatch(/^__Host-bucketline_session=.*; Path=\/;.*Secure/);
    expect(session).not.toMatch(/Domain/i);
    expect((await dashboard.send("/api/overview", { headers: { cookie: pair(session) } })).status).toBe(200);
  });

  test("without its prefix is not looked at where TLS is certain: another name of the site may have planted it", async () => {
    const { dashboard, known } = await start(PROXIED);
    const cookie = pair((await trySignIn(dashboard, { password: known.password })).session);
    const look = async (proto: string) =>
      (await dashboard.send("/api/overview", { headers: { cookie, "x-forwarded-proto": proto } })).status;
    expect(await look("http")).toBe(200);
    expect(await look("https")).toBe(401);
  });
});

describe("a session", () => {
  test("made up in Redis, copied from another's or prolonged there is nobody's", async () => {
    const { dashboard, known } = await start();
    const { redis, prefix } = dashboard;
    await trySignIn(dashboard, { name: "ada", password: known.password });
    const key = (id: string) => `${prefix}:~dashboard:session:${createHash("sha256").update(id).digest("hex")}`;
    const [stolen = ""] = await redis.keys(`${prefix}:~dashboard:session:*`);
    const text = (await redis.get(stolen)) ?? "";
    const fields = JSON.parse(text) as Record<string, unknown>;
    const mine = "A".repeat(43);
    const look = async (cookie: string) => (await dashboard.send("/api/overview", { headers: { cookie } })).status;
    const vic = pair((await trySignIn(dashboard, { name: "vic", password: known.password })).session);
    const vicId = vic.split("=")[1] ?? "";
    expect(await look(vic)).toBe(200);
    for (const [id, forged] of [
      [mine, text],
      [mine, JSON.stringify({ ...fields, until: Date.now() + 1e9 })],
      [mine, JSON.stringify({ name: "ada", role: "operator" })],
      [vicId, text],
      [vicId, "not json"],
      [vicId, JSON.stringify({ ...(JSON.parse((await redis.get(key(vicId))) ?? "") as object), name: "ada" })],
    ] as const) {
      await redis.set(key(id), forged);
      expect([forged, await look(`bucketline_session=${id}`)]).toEqual([forged, 401]);
    }
  });

  test("signed out everywhere ends on every browser of the user, and on no other's", async () => {
    const { dashboard, known } = await start();
    const cookies = [];
    for (const name of ["ada", "ada", "vic"])
      cookies.push(pair((await trySignIn(dashboard, { name, password: known.password })).session));
    const headers = { cookie: cookies[0] ?? "", origin: dashboard.url };
    expect((await dashboard.send("/api/session?everywhere=true", { method: "DELETE", headers })).status).toBe(204);
    const statuses = [];
    for (const cookie of cookies)
      statuses.push((await dashboard.send("/api/overview", { headers: { cookie } })).status);
    expect(statuses).toEqual([401, 401, 200]);
  });
});

describe("guessing", () => {
  test("at a name locks strangers out, and not the person on a browser that is known", async () => {
    const { dashboard, known } = await start({ ...PROXIED, BUCKETLINE_DASHBOARD_LOGINS_PER_MINUTE: "2" });
    const from = (address: string) => ({ "x-forwarded-for": address });
    const own = await trySignIn(dashboard, { headers: from("10.0.0.1"), password: known.password });
    expect(own.status).toBe(204);
    for (let n = 0; n < 8; n++) await trySignIn(dashboard, { headers: from(`10.1.0.${n}`) });
    const stranger = await trySignIn(dashboard, { headers: from("10.2.0.1"), password: known.password });
    expect(stranger.status).toBe(429);
    const again = (cookie: string, name = "ada") =>
      trySignIn(dashboard, { headers: { ...from("10.0.0.1"), cookie }, password: known.password, name });
    expect((await again(pair(own.device))).status).toBe(204);
    // Only what this dashboard signed for this name.
    expect((await again(pair(own.device).replace(/.$/, "_"))).status).toBe(429);
    for (let n = 0; n < 6; n++) await trySignIn(dashboard, { headers: from(`10.3.0.${n}`), name: "vic" });
    expect((await again(pair(own.device), "vic")).status).toBe(429);
  }, 240_000);

  test("counts an IPv6 network as one client", async () => {
    const { dashboard } = await start({ ...PROXIED, BUCKETLINE_DASHBOARD_LOGINS_PER_MINUTE: "2" });
    const from = async (address: string, name: string) =>
      (await trySignIn(dashboard, { headers: { "x-forwarded-for": address }, name })).status;
    expect([await from("2001:db8::1", "a"), await from("2001:db8::ffff:2", "b")]).toEqual([401, 401]);
    expect([await from("2001:db8:0:0:5::", "c"), await from("2001:db8:0:1::1", "d")]).toEqual([429, 401]);
  });

  test.each([
    ["::1", "0:0:0:0::/64"],
    ["2001:DB8:0a::1", "2001:db8:a:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["10.0.0.1", "10.0.0.1"],
  ])("%s is of %s", (address, client) => {
    expect(clientOf(address)).toBe(client);
  });

  test("leaves no counter without an end behind", async () => {
    const { dashboard, known } = await start();
    const { redis, prefix } = dashboard;
    const attempt = trySignIn(dashboard, { password: known.password });
    await attempt;
    for (const key of await redis.keys(`${prefix}:~dashboard:login-failures:*`))
      expect([key, Number(await redis.get(key)) >= 0, (await redis.ttl(key)) > 0]).toEqual([key, true, true]);
  });

  test("fills no queue: beyond some that wait, checks are turned away at once", async () => {
    const hash = await hashPassword("right");
    const results = await Promise.allSettled(Array.from({ length: 40 }, () => verifyPassword("wrong", hash)));
    const refused = results.filter((result) => result.status === "rejected");
    expect(refused.length).toBe(24);
    expect(refused[0]?.reason).toMatchObject({ problem: { status: 429, code: "TooManyLogins" } });
    expect(await verifyPassword("right", hash)).toBe(true);
  });

  test("at a name that nobody has costs what some user's costs", () => {
    const cheap = "scrypt.14.8.1.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const dear = cheap.replace("14.8.1", "16.8.4");
    const costs = new Set<string>();
    for (let n = 0; n < 50; n++) {
      const decoy = decoyHash(`name-${n}`, [{ hash: cheap }, { hash: dear }]) ?? "";
      expect(isPasswordHash(decoy)).toBe(true);
      expect(decoyHash(`name-${n}`, [{ hash: cheap }, { hash: dear }])).toBe(decoy);
      expect([cheap, dear]).not.toContain(decoy);
      costs.add(decoy.split(".").slice(0, 4).join("."));
    }
    expect([...costs].toSorted()).toEqual(["scrypt.14.8.1", "scrypt.16.8.4"]);
    expect(decoyHash("x", [])).toBeUndefined();
  });
});

test("requests that are refused count towards the limit as well", async () => {
  const { dashboard, known } = await start({ BUCKETLINE_DASHBOARD_REQUESTS_PER_MINUTE: "10" });
  for (let n = 0; n < 10; n++)
    expect((await dashboard.send(n % 2 ? "/nothing" : "/api/overview")).status).toBeLessThan(429);
  expect((await dashboard.send("/api/overview", { headers: known.viewer })).status).toBe(429);
});

test("a token is nobody's after its last day", async () => {
  const [over, still] = [createToken(), createToken()];
  const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
  const { dashboard } = await start({
    BUCKETLINE_DASHBOARD_TOKENS: `a:viewer:${over.hash}:expires=${day(-1)},viewer:${still.hash}:expires=${day(0)}`,
  });
  const look = async ({ token }: { token: string }) =>
    (await dashboard.send("/api/overview", { headers: { authorization: `Bearer ${token}` } })).status;
  expect([await look(over), await look(still)]).toEqual([401, 200]);
  expect(() => parseDashboardConfig({ BUCKETLINE_DASHBOARD_TOKENS: `viewer:${over.hash}:expires=2027-02-31` })).toThrow(
    /expected a day of the calendar/,
  );
});

test.each(["evil.example", "evil.example:8420", "dashboard", "0x7f000001.evil.example"])(
  "a foreign name %s gets nothing from a dashboard that listens everywhere",
  async (host) => {
    const { dashboard, known } = await start({ BUCKETLINE_DASHBOARD_HOST: "0.0.0.0" });
    const headers = { host, origin: `http://${host}` };
    const signIn = await dashboard.send("/api/session", {
      method: "POST",
      headers,
      body: { name: "ada", password: known.password },
    });
    expect([signIn.status, signIn.headers["set-cookie"]]).toEqual([421, undefined]);
    expect((await dashboard.send("/login", { headers: { host: "10.1.2.3:8420" } })).status).toBe(200);
  },
);

test("a body that trickles in is cut, unless it is content that was let in", async () => {
  const app = fastify({ forceCloseConnections: true });
  cutSlowBodies(app, 300);
  app.post("/json", () => ({}));
  app.post("/refused", { onRequest: (_request, reply) => void reply.code(401).send() }, () => ({}));
  app.addContentTypeParser("*", (_request, payload, done) => void payload.on("end", () => done(null)).resume());
  app.post("/content", { config: { streams: true } }, () => ({ ok: true }));
  onTestFinished(() => app.close());
  await app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = app.server.address() as { port: number }; // it listens on TCP
  const trickle = async (path: string, type: string) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    socket.on("data", (data: Buffer) => (answer += data.toString()));
    socket.on("error", () => {});
    socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: 8\r\n\r\n`);
    for (let n = 0; n < 8 && !socket.closed; n++) {
      await sleep(100);
      socket.write(" ");
    }
    await sleep(100);
    const { closed } = socket;
    socket.destroy();
    return { answer: answer.split("\r\n", 1)[0], closed };
  };
  const all = await Promise.all([
    trickle("/json", "application/json"),
    trickle("/refused", "application/json"),
    trickle("/content", "application/octet-stream"),
  ]);
  expect(all).toEqual([
    { answer: "HTTP/1.1 408 Request Timeout", closed: true },
    { answer: "HTTP/1.1 401 Unauthorized", closed: true },
    { answer: "HTTP/1.1 200 OK", closed: false },
  ]);
});
