import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseDashboardConfig } from "../../dashboard/config.ts";
import { hashToken, verifyPassword } from "../../dashboard/password-hash.ts";
import { parseWorkerConfig } from "../../worker/config/parse.ts";
import { readCompose } from "./compose.ts";

const root = join(import.meta.dirname, "../..");
/** A worker ends at most so many seconds after its shutdown timeout (worker/main.ts). */
const SHUTDOWN_MARGIN_S = 5;

describe("docker-compose.yml", () => {
  const secrets = writtenSecrets();
  const { services, volumes } = readCompose(root, secrets.env);
  const image = imageEnvironment();

  test("mounts what there is, and waits for services that there are and that say when they are ready", () => {
    const all = Object.values(services);
    const sources = all.flatMap((service) => service.volumes.map((mount) => mount.split(":", 1)[0] ?? ""));
    const absent = sources.filter((name) => !(name.startsWith("./") ? existsSync(join(root, name)) : name in volumes));
    expect(absent).toEqual([]);
    const awaited = all.flatMap((service) => Object.entries(service.depends_on));
    expect(awaited.filter(([name]) => !(name in services))).toEqual([]);
    const silent = awaited.filter(([name, when]) => when === "service_healthy" && !services[name]?.healthcheck);
    expect(silent).toEqual([]);
  });

  test("gives the worker an environment that it accepts, and time to end", () => {
    const config = parseWorkerConfig({ ...image, ...services["worker"]?.environment });
    expect(config).toMatchObject({
      redis: `redis://:${secrets.env["REDIS_PASSWORD"]}@redis:6379`,
      health: { host: "0.0.0.0", port: 8080 },
    });
    expect(services["worker"]?.stop_grace_period).toBeGreaterThan(
      config.shutdownTimeoutMs / 1000 + SHUTDOWN_MARGIN_S - 1,
    );
  });

  test("gives the dashboard an environment that it accepts, with the login that was written", async () => {
    const { environment = {}, ports = [], healthcheck } = services["dashboard"] ?? {};
    const config = parseDashboardConfig({ ...image, ...environment });
    expect(config).toMatchObject({ host: "0.0.0.0", users: [{ role: "operator" }], publicHosts: ["dashboard"] });
    expect(ports.map((port) => port.split(":").at(-1))).toEqual([String(config.port)]);
    expect(healthcheck?.test.join(" ")).toContain(`:${config.port}/login`);
    const [user] = config.users;
    expect(await verifyPassword(secrets.password, user?.hash ?? "")).toBe(true);
    expect(config.tokens).toMatchObject([{ role: "viewer", hash: hashToken(secrets.token) }]);
  });

  test("publishes no password that works: without those of one's own it does not start, or lets nobody in", async () => {
    expect(() => readCompose(root)).toThrow(/^REDIS_PASSWORD: run node scripts\/write-compose-secrets.js/);
    const others = Object.fromEntries(Object.entries(secrets.env).filter(([name]) => !name.startsWith("DASHBOARD_")));
    const { environment = {} } = readCompose(root, others).services["dashboard"] ?? {};
    const config = parseDashboardConfig({ ...image, ...environment });
    expect(config.tokens).toEqual([]);
    for (const guess of ["", "bucketline", "nobody", "password"])
      expect(await verifyPassword(guess, config.users[0]?.hash ?? "")).toBe(false);
  });

  test("has worker and dashboard where Prometheus looks for them, and shares their documents", () => {
    const prometheus = readFileSync(join(root, "deploy/prometheus/prometheus.yml"), "utf8");
    expect(prometheus).toMatch(
      new RegExp(`names: \\[worker\\]\\s+type: A\\s+port: ${image["BUCKETLINE_HEALTH_PORT"]}\\b`),
    );
    expect(prometheus).toContain(`dashboard:${services["dashboard"]?.environment["BUCKETLINE_DASHBOARD_PORT"]}`);
    expect(services["dashboard"]?.volumes).toEqual(services["worker"]?.volumes);
  });
});

/** What scripts/write-compose-secrets.js writes and says, in a copy of the folders that it knows. */
function writtenSecrets(): { env: Record<string, string>; token: string; password: string } {
  const folder = mkdtempSync(join(tmpdir(), "bucketline-compose-"));
  for (const path of ["scripts", "deploy/prometheus"]) mkdirSync(join(folder, path), { recursive: true });
  const script = join(folder, "scripts/write-compose-secrets.mjs");
  copyFileSync(join(root, "scripts/write-compose-secrets.js"), script);
  const said = execFileSync(process.execPath, [script], { encoding: "utf8" });
  const lines = readFileSync(join(folder, ".env"), "utf8").trim().split("\n");
  const env = Object.fromEntries(lines.map((line) => [line.split("=", 1)[0] ?? "", line.slice(line.indexOf("=") + 1)]));
  const token = readFileSync(join(folder, "deploy/prometheus/dashboard-token"), "utf8");
  rmSync(folder, { recursive: true });
  return { env, token, password: /password (\S+)/.exec(said)?.[1] ?? "" };
}

/** What the image sets. */
function imageEnvironment(): Record<string, string> {
  const [block = ""] = /^ENV (?:.*\\\n)*.*$/m.exec(readFileSync(join(root, "Dockerfile"), "utf8")) ?? [];
  return Object.fromEntries([...block.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, name = "", value = ""]) => [name, value]));
}
