import { randomBytes, scryptSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { request } from "undici";
import { createDashboard } from "../dashboard/create.ts";
import { type DashboardConfig, parseDashboardConfig } from "../dashboard/config.ts";
import { createToken } from "../dashboard/password-hash.ts";
import { openTestRedis, redisUrl, uniquePrefix } from "./fixtures.ts";

export type Sent = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or text and bytes as they are. */
  readonly body?: unknown;
};

export type Answered = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON. */
  readonly json: () => Record<string, never> & { readonly [field: string]: unknown };
};

/** A dashboard on a free port, and a way to send it exactly what a test wants to send. */
export type DashboardHarness = {
  readonly url: string;
  readonly config: DashboardConfig;
  readonly prefix: string;
  readonly redis: Redis;
  /** What it logged, at every level. */
  readonly logged: () => string;
  send(path: string, sent?: Sent): Promise<Answered>;
  close(): Promise<void>;
};

export type DashboardHarnessOptions = {
  readonly env?: Readonly<Record<string, string>>;
  readonly config?: Partial<DashboardConfig>;
  readonly prefix?: string;
  readonly documentsUrl?: string;
  readonly redis?: string;
};

export async function startDashboardHarness(options: DashboardHarnessOptions = {}): Promise<DashboardHarness> {
  const folder = await mkdtemp(join(tmpdir(), "bucketline-dashboard-"));
  const prefix = options.prefix ?? uniquePrefix();
  const parsed = parseDashboardConfig({
    REDIS_URL: options.redis ?? redisUrl(),
    BUCKETLINE_PREFIX: prefix,
    DOCUMENTS_URL: options.documentsUrl ?? pathToFileURL(join(folder, "documents")).href,
    BUCKETLINE_DASHBOARD_PORT: "0",
    BUCKETLINE_DASHBOARD_BULL_BOARD: "true",
    BUCKETLINE_DASHBOARD_REQUESTS_PER_MINUTE: "1000000",
    ...options.env,
  });
  const config = { ...parsed, ...options.config };
  const lines: string[] = [];
  const memory = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  const dashboard = await createDashboard(config, { log: pino({ level: "trace" }, memory) });
  const redis = openTestRedis(config.redis);
  redis.on("error", () => {}); // tests that stop Redis say so themselves
  return {
    url: dashboard.url.replace(/\/$/, ""),
    config,
    prefix,
    redis,
    logged: () => lines.join(""),
    send: (path, sent) => send(dashboard.url, path, sent),
    async close() {
      redis.disconnect();
      await dashboard.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function send(url: string, path: string, { method = "GET", headers = {}, body }: Sent = {}): Promise<Answered> {
  const raw = typeof body === "string" || body instanceof Uint8Array;
  const content = body === undefined ? null : raw ? body : JSON.stringify(body);
  const type = body === undefined || raw ? {} : { "content-type": "application/json" };
  const response = await request(new URL(path, url), {
    method: method as "GET", // undici takes any
    headers: { ...type, ...headers },
    body: content,
  });
  const text = await response.body.text();
  return {
    status: response.statusCode,
    headers: response.headers,
    text,
    json: () => JSON.parse(text) as ReturnType<Answered["json"]>, // what a test looks into, it checks
  };
}

const PASSWORD = "correct horse";
/** Made once, and at the least cost that a dashboard takes: hashes are costly on purpose. */
let hashed: string | undefined;

/** A user and a token of each role, as environment and as what to send. */
export function accounts() {
  hashed ??= cheapestHash(PASSWORD);
  const [viewer, operator] = [createToken(), createToken()];
  return {
    env: {
      BUCKETLINE_DASHBOARD_USERS: `ada:operator:${hashed},vic:viewer:${hashed}`,
      BUCKETLINE_DASHBOARD_TOKENS: `watch:viewer:${viewer.hash}\nsteer:operator:${operator.hash}`,
    },
    password: PASSWORD,
    viewer: { authorization: `Bearer ${viewer.token}` },
    operator: { authorization: `Bearer ${operator.token}` },
  };
}

function cheapestHash(password: string): string {
  const salt = randomBytes(16);
  const key = scryptSync(password, salt, 32, { N: 2 ** 14, r: 8, p: 1 });
  return ["scrypt", 14, 8, 1, salt.toString("base64url"), key.toString("base64url")].join(".");
}

/** Signs in and gives the cookie to send. */
export async function signIn(harness: DashboardHarness, name: string, password: string): Promise<string> {
  const answer = await harness.send("/api/session", { method: "POST", body: { name, password } });
  const [cookie] = [answer.headers["set-cookie"]].flat();
  if (answer.status !== 204 || cookie === undefined)
    throw new Error(`signing in was answered with ${answer.status}: ${answer.text}`);
  return cookie.split(";", 1)[0] ?? "";
}
