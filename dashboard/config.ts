import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { DocumentsUrl } from "../documents/location.ts";
import { ActivityError } from "../model/activity-error.ts";
import { didYouMean } from "../model/closest-name.ts";
import { invalidEnvironment } from "../model/invalid-environment.ts";
import { expectation } from "../model/problems/expectation.ts";
import { RedisPrefix } from "../redis/prefix.ts";
import type { RedisLocation } from "../redis/connection/client.ts";
import { DEFAULT_PREFIX } from "../redis/keys.ts";
import { RedisUrl } from "../redis/connection/url.ts";
import { redisUrlOf } from "../redis/connection/url-from-environment.ts";
import { BasePath } from "./http/base-path.ts";
import { OIDC_NAMES, OidcEnvironment, type OidcLogin, oidcLogin, oidcProblems } from "./access/oidc/settings.ts";
import type { HostSignIn } from "./access/host-sign-in.ts";
import { type ProxyLogin, proxyLogin, type ProxySettings } from "./access/proxy-login.ts";
import { isLoopback, parseTokens, parseUsers, type Token, type User } from "./access/entries.ts";

/** How a dashboard is set up; {@link parseDashboardConfig} makes one from the environment. */
export type DashboardConfig = {
  /** Default 127.0.0.1. Anything but loopback needs a login. */
  readonly host: string;
  /** 0 picks a free one. Default 8420. */
  readonly port: number;
  /** A URL, with its password. */
  readonly redis: string;
  readonly prefix: string;
  /** Where it is mounted, such as `/ops`; empty at the root of a host. */
  readonly basePath: string;
  readonly documentsUrl: string;
  /** What is run here, such as `production`; shown on every page, so that two dashboards are not taken for each other. */
  readonly environment?: string;
  readonly users: readonly User[];
  readonly tokens: readonly Token[];
  /** IP addresses and CIDR ranges of proxies in front: what they say of TLS and of a client's address is believed. Signs nobody in. */
  readonly trustedProxies: readonly string[];
  /** Signing in elsewhere: a trusted proxy tells who somebody is, in headers that are named here. */
  readonly proxy?: ProxyLogin;
  /** Signing in at an OpenID Connect provider. */
  readonly oidc?: OidcLogin;
  /** Names under which the dashboard is reached, besides loopback's. */
  readonly publicHosts: readonly string[];
  /** Serve bull-board below `/queues`. Default false. */
  readonly bullBoard: boolean;
  /** Nobody may change anything. */
  readonly readOnly: boolean;
  /** Requests and sign-ins from one address in a minute. */
  readonly limits: { readonly requests: number; readonly logins: number };
  readonly sessionHours: number;
  /** The most bytes of an uploaded document. */
  readonly maxDocumentBytes: number;
  /** Trace what is enqueued here through OpenTelemetry; does nothing unless the process registers an SDK. */
  readonly telemetry: boolean;
  readonly logLevel: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";
};

/** What `createDashboard` takes: ioredis options or an instance (also a `Cluster`) will do instead of a URL; its options are copied. */
export type DashboardSettings = Omit<DashboardConfig, "redis"> & {
  readonly redis: RedisLocation;
  /** How the app knows people that the dashboard is a part of. */
  readonly hostSignIn?: HostSignIn;
};

const NAMES = {
  host: "BUCKETLINE_DASHBOARD_HOST",
  port: "BUCKETLINE_DASHBOARD_PORT",
  redis: "REDIS_URL",
  prefix: "BUCKETLINE_PREFIX",
  basePath: "BUCKETLINE_DASHBOARD_BASE_PATH",
  documentsUrl: "DOCUMENTS_URL",
  environment: "BUCKETLINE_DASHBOARD_ENVIRONMENT",
  users: "BUCKETLINE_DASHBOARD_USERS",
  tokens: "BUCKETLINE_DASHBOARD_TOKENS",
  proxies: "BUCKETLINE_DASHBOARD_TRUSTED_PROXIES",
  proxyUserHeader: "BUCKETLINE_DASHBOARD_PROXY_USER_HEADER",
  proxyGroupsHeader: "BUCKETLINE_DASHBOARD_PROXY_GROUPS_HEADER",
  proxyOperators: "BUCKETLINE_DASHBOARD_PROXY_OPERATORS",
  proxyOperatorUsers: "BUCKETLINE_DASHBOARD_PROXY_OPERATOR_USERS",
  proxyOperatorGroups: "BUCKETLINE_DASHBOARD_PROXY_OPERATOR_GROUPS",
  ...OIDC_NAMES,
  publicHosts: "BUCKETLINE_DASHBOARD_PUBLIC_HOSTS",
  bullBoard: "BUCKETLINE_DASHBOARD_BULL_BOARD",
  readOnly: "BUCKETLINE_DASHBOARD_READ_ONLY",
  requests: "BUCKETLINE_DASHBOARD_REQUESTS_PER_MINUTE",
  logins: "BUCKETLINE_DASHBOARD_LOGINS_PER_MINUTE",
  telemetry: "BUCKETLINE_TELEMETRY",
  sessionHours: "BUCKETLINE_DASHBOARD_SESSION_HOURS",
  maxDocumentBytes: "BUCKETLINE_DASHBOARD_MAX_DOCUMENT_BYTES",
  logLevel: "BUCKETLINE_LOG_LEVEL",
} as const;
type Field = keyof typeof NAMES;

/** Kubernetes sets such variables (`BUCKETLINE_DASHBOARD_PORT=tcp://10.0.0.7:80`) in every pod for a service of this name. */
const SERVICE_LINK = /^BUCKETLINE_DASHBOARD_(?:SERVICE_(?:HOST|PORT)(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)$/;
const SERVICE_LINK_VALUE = /^(?:tcp|udp|sctp):\/\//;

/** May also be given as the name of a file, in `<variable>_FILE`. */
const SECRET: readonly Field[] = ["users", "tokens", "oidcClientSecret"];

const Whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/, { error: `expected a whole number from ${min} to ${max}` })
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error: `expected a whole number from ${min} to ${max}` });
const List = z.string().transform((text) => text.split(/[\s,]+/).filter((entry) => entry !== ""));
const Header = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,64}$/, { error: "expected the name of a header" })
  .transform((name) => name.toLowerCase());
const entries = <T>(parse: (text: string) => { entries: readonly T[]; problems: readonly string[] }) =>
  z.string().transform((text, context): readonly T[] => {
    const parsed = parse(text);
    for (const message of parsed.problems) context.addIssue({ code: "custom", message });
    return parsed.entries;
  });
const addresses = List.refine((list) => list.every(isAddressOrRange), {
  error: "expected IP addresses or CIDR ranges, such as 10.0.0.2, 10.1.0.0/16",
});

function isAddressOrRange(entry: string): boolean {
  const [address = "", bits, ...rest] = entry.split("/");
  if (rest.length > 0) return false;
  const v4 = z.ipv4().safeParse(address).success;
  if (!v4 && !z.ipv6().safeParse(address).success) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (v4 ? 32 : 128));
}

const Flag = z.enum(["true", "false"], { error: "expected true or false" }).transform((text) => text === "true");

const Environment = z.object({
  host: z
    .string()
    .regex(/^[A-Za-z0-9.:-]{1,255}$/, { error: "expected an IP address or a host name" })
    .default("127.0.0.1"),
  port: Whole(0, 65_535).default(8420),
  redis: RedisUrl,
  prefix: RedisPrefix.default(DEFAULT_PREFIX),
  basePath: BasePath.default(""),
  // The workers' own default.
  documentsUrl: DocumentsUrl.default(() => pathToFileURL(resolve(".bucketline/documents")).href),
  environment: z.string().max(40, { error: "expected at most 40 characters" }).optional(),
  users: entries(parseUsers).default([]),
  tokens: entries(parseTokens).default([]),
  proxies: addresses.default([]),
  proxyUserHeader: Header.optional(),
  proxyGroupsHeader: Header.optional(),
  proxyOperators: List.default([]),
  proxyOperatorUsers: List.default([]),
  proxyOperatorGroups: List.default([]),
  ...OidcEnvironment,
  publicHosts: List.transform((hosts) => hosts.map((host) => host.toLowerCase())).default([]),
  bullBoard: Flag.default(false),
  readOnly: Flag.default(false),
  telemetry: Flag.default(false),
  requests: Whole(10, 1_000_000).default(3000),
  logins: Whole(1, 1000).default(10),
  sessionHours: Whole(1, 720).default(12),
  maxDocumentBytes: Whole(1, 5_497_558_138_880).default(5_497_558_138_880),
  logLevel: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
});

/**
 * Reads the environment. Secrets may be given as `<variable>_FILE`.
 *
 * @throws ActivityError `InvalidConfiguration` that names every wrong variable, never its value
 */
export function parseDashboardConfig(env: NodeJS.ProcessEnv): DashboardConfig {
  const problems: string[] = [];
  const given = new Map<string, string>();
  for (const field of Object.keys(NAMES) as Field[]) {
    const value = valueOf(env, field, problems);
    if (value !== undefined) given.set(field, value);
  }
  given.set("redis", redisUrlOf(env, problems));
  problems.push(...unknownVariables(env));
  const parsed = Environment.safeParse(Object.fromEntries(given));
  if (parsed.success) problems.push(...proxyProblems(parsed.data), ...oidcProblems(parsed.data));
  for (const issue of parsed.error?.issues ?? [])
    problems.push(`${NAMES[issue.path[0] as Field]}: ${expectation(issue)}`); // every issue is below a field
  // By itself it has an error code of its own.
  const host = parsed.data?.host ?? given.get("host");
  if (problems.length > 0 && host !== undefined && !isLoopback(host) && !asksForLogin(env))
    problems.push(`${NAMES.host}: ${exposureOf(host)}`);
  if (!parsed.success || problems.length > 0) throw invalidEnvironment(problems);
  const { proxies, requests, logins, environment, ...rest } = parsed.data;
  const proxy = proxyLogin(parsed.data);
  const oidc = oidcLogin(parsed.data);
  const config = {
    ...rest,
    trustedProxies: proxies,
    limits: { requests, logins },
    ...(proxy && { proxy }),
    ...(environment && { environment }),
    ...(oidc && { oidc }),
  };
  checkExposure(config);
  return config;
}

function proxyProblems(settings: ProxySettings): string[] {
  const { proxies, proxyUserHeader, proxyGroupsHeader } = settings;
  const named = proxyUserHeader !== undefined || proxyGroupsHeader !== undefined;
  const problems: string[] = [];
  if (named && proxies.length === 0)
    problems.push(`${NAMES.proxies}: expected the addresses of the proxy whose headers sign people in`);
  const lists = ["proxyOperators", "proxyOperatorUsers", "proxyOperatorGroups"] as const;
  for (const list of lists.filter((name) => settings[name].length > 0)) {
    if (!named)
      problems.push(`${NAMES[list]}: expected ${NAMES.proxyUserHeader} beside it: no header signs anybody in`);
    else if (list === "proxyOperatorGroups" && proxyGroupsHeader === undefined)
      problems.push(`${NAMES[list]}: expected ${NAMES.proxyGroupsHeader} beside it`);
  }
  return problems;
}

/** Throws `LoginRequired` where others than this machine's users could reach the dashboard without a login. */
export function checkExposure(config: Pick<DashboardConfig, "host" | "users" | "tokens" | "proxy" | "oidc">): void {
  if (isLoopback(config.host) || hasLogin(config)) return;
  throw new ActivityError("LoginRequired", exposureOf(config.host), { field: NAMES.host });
}

const exposureOf = (host: string): string =>
  `the dashboard may not listen on ${host} without a login, because everybody who reaches it could change everything: ` +
  `set ${NAMES.users}, ${NAMES.tokens} or ${NAMES.proxyUserHeader}, or leave ${NAMES.host} at 127.0.0.1`;

/** Whether a way to sign in is set up at all; what is wrong with it is another problem. */
function asksForLogin(env: NodeJS.ProcessEnv): boolean {
  const ways = [
    NAMES.users,
    NAMES.tokens,
    NAMES.proxyUserHeader,
    NAMES.proxyGroupsHeader,
    ...Object.values(OIDC_NAMES),
  ];
  return ways.some((name) => (env[name] ?? env[`${name}_FILE`] ?? "").trim() !== "");
}

/** Whether one has to say who one is. */
export function hasLogin({
  users,
  tokens,
  proxy,
  oidc,
  hostSignIn,
}: Pick<DashboardSettings, "users" | "tokens" | "proxy" | "oidc" | "hostSignIn">): boolean {
  return users.length > 0 || tokens.length > 0 || proxy !== undefined || oidc !== undefined || hostSignIn !== undefined;
}

/** A misspelt variable would leave its setting at a default that nobody chose. */
function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const known = new Set(Object.values(NAMES).flatMap((name) => [name, `${name}_FILE`] as string[]));
  return Object.keys(env)
    .filter((name) => name.startsWith("BUCKETLINE_DASHBOARD_") && !known.has(name) && !SERVICE_LINK.test(name))
    .map((name) => `${name}: no variable of this name is known${didYouMean(name, known)}`);
}

function valueOf(env: NodeJS.ProcessEnv, field: Field, problems: string[]): string | undefined {
  const name = NAMES[field];
  const value = env[name]?.trim() === "" || SERVICE_LINK_VALUE.test(env[name] ?? "") ? undefined : env[name]?.trim();
  const file = SECRET.includes(field) ? env[`${name}_FILE`] : undefined;
  if (!file) return value;
  if (value !== undefined) {
    problems.push(`${name}: expected either it or ${name}_FILE, got both`);
    return undefined;
  }
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    problems.push(`${name}_FILE: cannot read ${file} (${error instanceof Error ? error.message : String(error)})`);
    return undefined;
  }
}
