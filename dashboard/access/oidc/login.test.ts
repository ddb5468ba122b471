import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type DashboardHarness, startDashboardHarness } from "../../../test/dashboard-harness.ts";
import { parseDashboardConfig } from "../../config.ts";
import { type Provider, startProvider } from "./provider.fixture.ts";

let provider: Provider;
let dashboard: DashboardHarness;
beforeAll(async () => {
  provider = await startProvider();
  dashboard = await startDashboardHarness({
    env: {
      BUCKETLINE_DASHBOARD_BASE_PATH: "/ops/",
      BUCKETLINE_DASHBOARD_OIDC_ISSUER: provider.issuer,
      BUCKETLINE_DASHBOARD_OIDC_CLIENT_ID: provider.client.id,
      BUCKETLINE_DASHBOARD_OIDC_CLIENT_SECRET: provider.client.secret,
      BUCKETLINE_DASHBOARD_OIDC_OPERATOR_GROUPS: "s3-operators",
      BUCKETLINE_DASHBOARD_OIDC_VIEWER_GROUPS: "staff",
    },
  });
});
afterAll(async () => {
  await dashboard.close();
  await provider[Symbol.asyncDispose]();
});
beforeEach(() => {
  provider.claims = { preferred_username: "ada", groups: ["staff", "s3-operators"] };
  provider.lie = {};
});

const cookieOf = (
  answer: { readonly headers: Readonly<Record<string, string | string[] | undefined>> },
  name: string,
) =>
  [answer.headers["set-cookie"]]
    .flat()
    .find((cookie) => cookie?.startsWith(`${name}=`))
    ?.split(";", 1)[0] ?? "";

/** Leaves for the provider, and is sent back by it. */
async function leave(next = "/jobs?state=failed") {
  const begun = await dashboard.send(`/ops/api/session/oidc?next=${encodeURIComponent(next)}`);
  const there = await fetch(String(begun.headers["location"]), { redirect: "manual" });
  const back = new URL(there.headers.get("location") ?? "");
  return { flow: cookieOf(begun, "bucketline_oidc"), back: back.pathname + back.search, begun };
}

async function signIn(next?: string) {
  const { flow, back } = await leave(next);
  const answer = await dashboard.send(back, { headers: { cookie: flow } });
  return { answer, session: cookieOf(answer, "bucketline_session") };
}

describe("signing in at an OpenID Connect provider", () => {
  test("leads there, comes back to the page that was asked for, and opens a session of the role that a group gives", async () => {
    const { flow, back, begun } = await leave();
    expect(begun.status).toBe(303);
    expect(String(begun.headers["set-cookie"])).toMatch(/HttpOnly; SameSite=Lax/);
    expect(back).toMatch(/^\/ops\/api\/session\/oidc\/callback\?code=/);
    const answer = await dashboard.send(back, { headers: { cookie: flow } });
    expect([answer.status, answer.text]).toEqual([200, expect.stringContaining("url=/ops/jobs?state=failed")]);
    const session = cookieOf(answer, "bucketline_session");
    const who = await dashboard.send("/ops/api/session", { headers: { cookie: session } });
    expect(who.json()).toMatchObject({ signedIn: true, name: "ada", role: "operator", canSignOut: true });
    const from = { cookie: session, origin: dashboard.url };
    const added = await dashboard.send("/ops/api/activities/list-buckets/jobs", {
      method: "POST",
      body: {},
      headers: from,
    });
    expect(added.status).toBe(202);
    const { entries } = (await dashboard.send("/ops/api/audit", { headers: from })).json();
    expect(entries).toMatchObject([
      { action: "job.add", actor: "ada", known: "oidc" },
      { action: "session.sign-in", actor: "ada", known: "oidc" },
    ]);
    const forged = await dashboard.send("/ops/api/activities/list-buckets/jobs", {
      method: "POST",
      body: {},
      headers: { cookie: session },
    });
    expect(forged.status).toBe(403);
  });

  test("makes viewers of the groups that may look, and refuses everybody else", async () => {
    provider.claims = { preferred_username: "vic", groups: "staff" };
    const { session } = await signIn();
    expect((await dashboard.send("/ops/api/session", { headers: { cookie: session } })).json()).toMatchObject({
      role: "viewer",
    });
    for (const groups of [[], ["s3-operators-not"], undefined, { 0: "staff" }, [["staff"]]]) {
      provider.claims = { preferred_username: "eve", groups };
      expect((await signIn()).answer.status).toBe(403);
    }
  });

  test.each<[string, Provider["lie"]]>([
    ["is for another client", { claims: { aud: "another" } }],
    ["is of another issuer", { claims: { iss: "https://evil.example" } }],
    ["has another nonce", { claims: { nonce: "another" } }],
    ["is signed with another key", { foreignKey: true }],
    ["is signed with nothing", { alg: "none" }],
    ["is signed with what the client shows as its secret", { alg: "HS256" }],
    ["has expired", { claims: { iat: 1_000_000_000, exp: 1_000_000_300 } }],
    ["never expires", { claims: { exp: undefined } }],
    ["is for a day to come", { claims: { nbf: 4_000_000_000 } }],
    ["is for others as well, and was given to one of them", { claims: { aud: ["bucketline", "b"], azp: "b" } }],
    ["is for no nonce", { claims: { nonce: undefined } }],
    ["has no name", { claims: { preferred_username: undefined } }],
    ["has a name that is no line", { claims: { preferred_username: "a\r\nb" } }],
  ])("accepts no token that %s", async (_what, lie) => {
    provider.lie = lie;
    const { answer, session } = await signIn();
    expect([answer.status, session]).toEqual([401, ""]);
  });

  test("accepts no answer that says another provider gave it", async () => {
    provider.lie = { iss: "https://evil.example" };
    const { answer, session } = await signIn();
    expect([answer.status, session]).toEqual([401, ""]);
  });

  test("accepts nobody who did not leave from this browser, and every answer once", async () => {
    const { flow, back } = await leave();
    const other = await leave();
    for (const cookie of ["", other.flow, `${flow.slice(0, -2)}xx`, "bucketline_oidc=e30.e30"])
      expect([cookie, (await dashboard.send(back, { headers: { cookie } })).status]).toEqual([cookie, 401]);
    const state = back.replace(/state=[^&]+/, "state=another");
    expect((await dashboard.send(state, { headers: { cookie: flow } })).status).toBe(401);
    const again = await leave();
    expect((await dashboard.send(again.back, { headers: { cookie: again.flow } })).status).toBe(200);
    expect((await dashboard.send(again.back, { headers: { cookie: again.flow } })).status).toBe(401);
  });

  test.each([
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "/.//evil.example/",
    "javascript:alert(1)",
    "/x/..//evil.example",
    '/"><script>',
  ])("comes back to the dashboard whatever %s says", async (next) => {
    const { answer } = await signIn(next);
    const to = /url=([^"]*)"/.exec(answer.text)?.[1] ?? "";
    expect(to).toMatch(/^\/ops\/(?![/\\])/);
    expect(answer.text).not.toContain("<script>");
  });

  test("ends a session with sign-out, and everywhere", async () => {
    const [one, two] = [await signIn(), await signIn()];
    const from = { cookie: one.session, origin: dashboard.url };
    await dashboard.send("/ops/api/session?everywhere=true", { method: "DELETE", headers: from });
    for (const { session } of [one, two])
      expect((await dashboard.send("/ops/api/overview", { headers: { cookie: session } })).status).toBe(401);
  });

  test("makes sessions that nobody can change in Redis", async () => {
    provider.claims = { preferred_username: "vic", groups: ["staff"] };
    const { session } = await signIn();
    const [key = ""] = (await dashboard.redis.keys(`${dashboard.prefix}:~dashboard:session:*`)).slice(-1);
    for (const each of await dashboard.redis.keys(`${dashboard.prefix}:~dashboard:session:*`)) {
      const stored = JSON.parse((await dashboard.redis.get(each)) ?? "{}") as { name?: string };
      if (stored.name === "vic") await dashboard.redis.set(each, JSON.stringify({ ...stored, oidc: "operator" }));
    }
    expect(key).not.toBe("");
    expect((await dashboard.send("/ops/api/overview", { headers: { cookie: session } })).status).toBe(401);
  });

  test("is offered on the page of the sign-in", async () => {
    const { text } = await dashboard.send("/ops/login");
    expect(text).toContain('href="/ops/api/session/oidc"');
    expect(text).not.toContain("{{");
  });
});

test.each([
  [
    "an issuer without TLS",
    { ISSUER: "http://idp.example", CLIENT_ID: "a", CLIENT_SECRET: "x".repeat(32) },
    "OIDC_ISSUER",
  ],
  ["no client", { ISSUER: "https://idp.example" }, "OIDC_CLIENT_ID"],
  ["a short secret", { ISSUER: "https://idp.example", CLIENT_ID: "a", CLIENT_SECRET: "short" }, "OIDC_CLIENT_SECRET"],
  ["groups alone", { OPERATOR_GROUPS: "ops" }, "OIDC_ISSUER"],
])("%s is refused at the start", (_what, settings, named) => {
  const env = Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`BUCKETLINE_DASHBOARD_OIDC_${name}`, value]),
  );
  expect(() => parseDashboardConfig(env)).toThrow(named);
});

test.each<[unknown, number]>([
  [true, 200],
  ["true", 200],
  [undefined, 200],
  [false, 401],
  ["false", 401],
  [0, 401],
  [null, 401],
])("an address that is verified as %j signs in with %d", async (verified, status) => {
  const own = await startDashboardHarness({
    env: {
      BUCKETLINE_DASHBOARD_OIDC_ISSUER: provider.issuer,
      BUCKETLINE_DASHBOARD_OIDC_CLIENT_ID: provider.client.id,
      BUCKETLINE_DASHBOARD_OIDC_CLIENT_SECRET: provider.client.secret,
      BUCKETLINE_DASHBOARD_OIDC_NAME_CLAIM: "email",
    },
  });
  provider.claims = { email: "ada@example.com", email_verified: verified };
  const begun = await own.send("/api/session/oidc?next=/");
  const there = await fetch(String(begun.headers["location"]), { redirect: "manual" });
  const back = new URL(there.headers.get("location") ?? "");
  const answer = await own.send(back.pathname + back.search, {
    headers: { cookie: cookieOf(begun, "bucketline_oidc") },
  });
  expect(answer.status).toBe(status);
  await own.close();
});
