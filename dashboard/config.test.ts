import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createDashboard } from "./create.ts";
import { parseDashboardConfig } from "./config.ts";
import { createToken, hashPassword } from "./password-hash.ts";

const USER = `ada:operator:${await hashPassword("x")}`;

test("without any setting it listens on loopback only, with nobody to sign in and everything allowed", () => {
  expect(parseDashboardConfig({})).toMatchObject({
    host: "127.0.0.1",
    port: 8420,
    redis: "redis://127.0.0.1:6379",
    prefix: "bucketline",
    users: [],
    tokens: [],
    readOnly: false,
  });
});

test("says in plain words which values a setting has", () => {
  expect(() => parseDashboardConfig({ BUCKETLINE_LOG_LEVEL: "loud" })).toThrow(
    /- BUCKETLINE_LOG_LEVEL: expected one of /,
  );
});

test.each(["0.0.0.0", "::", "10.0.0.5", "dashboard.example", "127.0.0.1.example"])(
  "refuses to listen on %s without a login",
  (host) => {
    expect(() => parseDashboardConfig({ BUCKETLINE_DASHBOARD_HOST: host })).toThrow(
      /^LoginRequired: .*BUCKETLINE_DASHBOARD_USERS/,
    );
  },
);

test.each(["127.0.0.1", "127.0.0.9", "::1", "localhost"])("takes %s for loopback", (host) => {
  expect(parseDashboardConfig({ BUCKETLINE_DASHBOARD_HOST: host }).host).toBe(host);
});

test.each([
  ["users", { BUCKETLINE_DASHBOARD_USERS: USER }],
  ["tokens", { BUCKETLINE_DASHBOARD_TOKENS: `operator:${createToken().hash}` }],
  [
    "a proxy that signs people in",
    { BUCKETLINE_DASHBOARD_TRUSTED_PROXIES: "10.0.0.1", BUCKETLINE_DASHBOARD_PROXY_USER_HEADER: "X-User" },
  ],
])("listens elsewhere with %s", (_what, env) => {
  expect(parseDashboardConfig({ BUCKETLINE_DASHBOARD_HOST: "0.0.0.0", ...env }).host).toBe("0.0.0.0");
});

test("a configuration that was not parsed is refused all the same", async () => {
  const config = { ...parseDashboardConfig({}), host: "0.0.0.0" };
  await expect(createDashboard(config)).rejects.toMatchObject({
    code: "LoginRequired",
    field: "BUCKETLINE_DASHBOARD_HOST",
  });
});

test("names every problem at once, and no secret", () => {
  const env = {
    BUCKETLINE_DASHBOARD_PORT: "70000",
    BUCKETLINE_DASHBOARD_USERS: "ada:admin:hunter2,bob:viewer:plain-password",
    BUCKETLINE_DASHBOARD_TOKENS: "operator:secret-token",
    BUCKETLINE_DASHBOARD_TRUSTED_PROXIES: "10.0.0.0/99",
    BUCKETLINE_DASHBOARD_READ_ONLY: "perhaps",
    BUCKETLINE_DASHBOARD_HSOT: "127.0.0.1",
    REDIS_URL: "http://user:sesame@example",
  };
  const message = messageOf(() => parseDashboardConfig(env));
  expect(message).toMatch(/^InvalidConfiguration: the environment has 8 problems:/);
  for (const name of Object.keys(env)) expect(message).toContain(`${name}:`);
  expect(message).toContain("BUCKETLINE_DASHBOARD_USERS: entry 2: expected name:viewer|operator:hash");
  expect(message).not.toMatch(/hunter2|plain-password|secret-token|sesame/);
});

test("a missing login is told with all else that is wrong, and not where a login is only set up wrongly", () => {
  const wrong = { BUCKETLINE_DASHBOARD_HOST: "0.0.0.0", BUCKETLINE_DASHBOARD_READ_ONLY: "perhaps" };
  const told = /BUCKETLINE_DASHBOARD_HOST: the dashboard may not listen on 0\.0\.0\.0 without a login/;
  expect(messageOf(() => parseDashboardConfig(wrong))).toMatch(/has 2 problems:/);
  expect(messageOf(() => parseDashboardConfig(wrong))).toMatch(told);
  const unknown = { BUCKETLINE_DASHBOARD_HOST: "0.0.0.0", BUCKETLINE_DASHBOARD_HSOT: "127.0.0.1" };
  expect(messageOf(() => parseDashboardConfig(unknown))).toMatch(told);
  const withUsers = { ...wrong, BUCKETLINE_DASHBOARD_USERS: "ada:admin:x" };
  expect(messageOf(() => parseDashboardConfig(withUsers))).not.toMatch(told);
  expect(messageOf(() => parseDashboardConfig({ ...wrong, BUCKETLINE_DASHBOARD_HOST: "127.0.0.1" }))).not.toMatch(told);
});

test("reads secrets from files, and not from both", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bucketline-config-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "users");
  await writeFile(file, `# operators\n${USER}\n\nvic:viewer:${await hashPassword("y")}\n`);
  const { users } = parseDashboardConfig({ BUCKETLINE_DASHBOARD_USERS_FILE: file });
  expect(users.map(({ name, role }) => `${name} ${role}`)).toEqual(["ada operator", "vic viewer"]);
  expect(() =>
    parseDashboardConfig({ BUCKETLINE_DASHBOARD_USERS_FILE: file, BUCKETLINE_DASHBOARD_USERS: USER }),
  ).toThrow(/got both/);
  expect(() => parseDashboardConfig({ REDIS_URL_FILE: join(folder, "missing") })).toThrow(
    /REDIS_URL_FILE: expected a readable file/,
  );
});

test("is not confused by what Kubernetes sets for a service of its name", () => {
  const env = {
    BUCKETLINE_DASHBOARD_PORT: "tcp://10.0.0.7:80",
    BUCKETLINE_DASHBOARD_SERVICE_HOST: "10.0.0.7",
    BUCKETLINE_DASHBOARD_PORT_80_TCP_ADDR: "10.0.0.7",
  };
  expect(parseDashboardConfig(env).port).toBe(8420);
});

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("expected an error");
}
