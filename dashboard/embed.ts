import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyPluginCallback } from "fastify";
import { type Logger, pino } from "pino";
import { z } from "zod";
import { parseOptions } from "../jobs/parse-input.ts";
import type { RedisLocation } from "../redis/connection/client.ts";
import { DEFAULT_PREFIX } from "../redis/keys.ts";
import { RedisPrefix } from "../redis/prefix.ts";
import { parseTokens, parseUsers } from "./access/entries.ts";
import { assemble } from "./assemble.ts";
import { type DashboardSettings, hasLogin, parseDashboardConfig } from "./config.ts";
import type { HostSignIn } from "./access/host-sign-in.ts";
import { errorForLog } from "./error-for-log.ts";
import { BasePath } from "./http/base-path.ts";
import { rememberHostRequest } from "./http/host-request.ts";
import { ActivityError } from "../model/activity-error.ts";

/** How a dashboard within another app is set up. */
export type DashboardOptions = {
  /** The workers' own: a URL, ioredis options, or an instance, whose options are copied. */
  readonly redis: RedisLocation;
  /** The workers' own. Default `bucketline`. */
  readonly prefix?: string | undefined;
  /** The workers' `DOCUMENTS_URL`, and the same default. */
  readonly documents?: string | undefined;
  /** Where it is mounted, such as `/ops/`. Default: at the root of the host. */
  readonly basePath?: string | undefined;
  /** The names under which the app is reached; others are refused (DNS rebinding). Loopback and addresses need not be named. */
  readonly publicHosts?: readonly string[] | undefined;
  /**
   * Who asks, as the app knows it: a name and `viewer` or `operator`, or nothing. `fastify` is the app's own request, where it is Fastify.
   * Called for every request.
   */
  readonly identify?: HostSignIn["identify"] | undefined;
  /** Where people whom the app does not know go; `?next=` tells where they wanted to. */
  readonly signInUrl?: string | undefined;
  /** Users and tokens of the dashboard's own, as in `BUCKETLINE_DASHBOARD_USERS` and `_TOKENS`. */
  readonly users?: string | undefined;
  readonly tokens?: string | undefined;
  /** IP addresses and CIDR ranges of proxies in front, whose word on TLS, clients' addresses and the base path counts. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Nobody changes anything. */
  readonly readOnly?: boolean | undefined;
  /** Default: pino, to standard output. */
  readonly log?: Logger | undefined;
};

/** A dashboard within another app. */
export type EmbeddedDashboard = {
  /** For Node's own server, Express, Hono on Node, NestJS: answers every request that it is given. */
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
  /** For Fastify: `app.register(dashboard.plugin, { prefix: "/ops" })`, with the same base path. */
  readonly plugin: FastifyPluginCallback;
  /** Ends event streams, then its connections to Redis. */
  close(): Promise<void>;
};

const Entries = (parse: typeof parseUsers | typeof parseTokens) =>
  z.string().superRefine((text, context) => {
    for (const message of parse(text).problems) context.addIssue({ code: "custom", message });
  });
const Options = z.strictObject({
  redis: z.custom<RedisLocation>(
    (value) => typeof value === "string" || (typeof value === "object" && value !== null),
    {
      error: "expected a URL such as redis://127.0.0.1:6379, ioredis options or an ioredis instance",
    },
  ),
  prefix: RedisPrefix.default(DEFAULT_PREFIX),
  documents: z.string().optional(),
  basePath: BasePath.default(""),
  publicHosts: z.array(z.string().min(1).max(255).toLowerCase()).default([]),
  identify: z.custom<HostSignIn["identify"]>((value) => typeof value === "function", "expected a function").optional(),
  signInUrl: z
    .string()
    .regex(/^(?:\/(?![/\\])|https?:\/\/)[\x21-\x7e]*$/, { error: "expected a path or a URL of http or https" })
    .optional(),
  users: Entries(parseUsers).default(""),
  tokens: Entries(parseTokens).default(""),
  trustedProxies: z.array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])).default([]),
  readOnly: z.boolean().default(false),
  log: z.custom<Logger>().optional(),
});

/**
 * Makes a dashboard that listens to nothing itself: pages, HTTP API, event streams and metrics for an app to mount.
 *
 * @throws ActivityError `InvalidInput` for bad options, `LoginRequired` where nobody would have to say who they are
 * @example
 * const dashboard = await createDashboard({ redis: "redis://127.0.0.1:6379", basePath: "/ops/", identify: () => ({ name: "ada", role: "operator" }) });
 * createServer(dashboard.handler).listen(3000, "127.0.0.1");
 */
export async function createDashboard(options: DashboardOptions): Promise<EmbeddedDashboard> {
  const {
    redis,
    identify,
    signInUrl,
    users,
    tokens,
    documents,
    log: given,
    ...rest
  } = parseOptions("createDashboard", Options, options);
  const settings: DashboardSettings = {
    ...parseDashboardConfig({}),
    ...rest,
    redis,
    // It is reached as the app is: addresses are answered, names have to be named.
    host: "0.0.0.0",
    users: parseUsers(users).entries,
    tokens: parseTokens(tokens).entries,
    ...(documents !== undefined && { documentsUrl: documents }),
    ...(identify !== undefined && { hostSignIn: { identify, ...(signInUrl !== undefined && { signInUrl }) } }),
  };
  if (!hasLogin(settings))
    throw new ActivityError(
      "LoginRequired",
      "a dashboard within an app needs to know who asks: set identify, users or tokens",
      { field: "identify" },
    );
  const log = (given ?? pino()).child({}, { serializers: { err: (error: unknown) => errorForLog(error) } });
  const resources = new AsyncDisposableStack();
  try {
    const app = await assemble(settings, log, resources);
    replayBodies(app);
    await app.ready();
    const handler: EmbeddedDashboard["handler"] = (request, response) => app.routing(request, response);
    return { handler, plugin: pluginOf(handler), close: () => resources.disposeAsync() };
  } catch (error) {
    await resources.disposeAsync();
    throw error;
  }
}

/** What an app's parser has read already, such as Express's of JSON, is read once more from what it left. */
function replayBodies(app: FastifyInstance): void {
  app.addHook("preParsing", async ({ raw, headers }, _reply, payload) => {
    if (!raw.readableEnded || !("body" in raw) || raw.body === undefined) return payload;
    const { body } = raw;
    const content = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
    const again = Readable.from([Buffer.from(content)]);
    // It may be of another length than was sent: with other spaces, unpacked.
    return Object.assign(again, { receivedEncodedLength: Number(headers["content-length"]) });
  });
}

/** Hands every request below the plugin's prefix on as it came: the body is not read here. */
function pluginOf(handler: EmbeddedDashboard["handler"]): FastifyPluginCallback {
  return (host, _options, done) => {
    host.removeAllContentTypeParsers();
    host.addContentTypeParser("*", (_request, _payload, parsed) => parsed(null));
    for (const url of ["/", "/*"])
      host.all(url, (request, reply) => {
        rememberHostRequest(request);
        reply.hijack();
        handler(request.raw, reply.raw);
      });
    done();
  };
}
