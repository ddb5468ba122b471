import { isIPv6 } from "node:net";
import cookie from "@fastify/cookie";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import fastify, { type FastifyInstance, LogController } from "fastify";
import { Redis } from "ioredis";
import { type Logger, pino } from "pino";
import { createProducer } from "../producer/create-producer.ts";
import { guard } from "./access/authorize.ts";
import { addressList } from "./access/entries.ts";
import { createIdentify } from "./access/identity.ts";
import { sessionRoutes } from "./access/session-routes.ts";
import { createSessions } from "./access/sessions.ts";
import { overviewRoutes } from "./api/overview-routes.ts";
import { checkExposure, type DashboardConfig } from "./config.ts";
import { HttpProblem, problemOf, sendProblem } from "./http/problem.ts";
import { addRoutes } from "./http/route.ts";
import { CSP, PERMISSIONS } from "./http/security-headers.ts";
import { addPages } from "./pages.ts";
import { createEventStream } from "./watch/event-stream.ts";
import { createOverview } from "./watch/overview.ts";
import { createThroughput } from "./watch/throughput.ts";

/** A running dashboard. */
export type Dashboard = {
  readonly address: { readonly host: string; readonly port: number };
  /** For people. */
  readonly url: string;
  /** Ends event streams and requests under way, then every connection. */
  close(): Promise<void>;
};

/** The most bytes of a JSON body. */
const BODY_LIMIT = 1024 * 1024;
/** A connection on which nothing moves for so long is cut; event streams tick every second, waits end after a minute. */
const IDLE_MS = 120_000;

/**
 * Starts the dashboard: pages, HTTP API, metrics. A Redis that does not answer is no reason not to start: the pages then say so.
 *
 * @throws ActivityError `LoginRequired` where it would be reachable from other machines without a login
 */
export async function createDashboard(
  config: DashboardConfig,
  options: { readonly log?: Logger } = {},
): Promise<Dashboard> {
  checkExposure(config);
  const log = options.log ?? pino({ level: config.logLevel });
  const redis = connect(config.redis, log);
  const producer = createProducer({ redis, prefix: config.prefix, documents: config.documentsUrl, redisTimeout: 5000 });
  const events = createEventStream();
  const app = createServer(config, log);
  const close = async () => {
    events.close();
    await app.close();
    await producer.close();
    redis.disconnect();
  };
  try {
    await assemble(app, { config, redis, producer, events });
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    await close();
    throw error;
  }
  const address = addressOf(app, config);
  log.info({ url: address.url, readOnly: config.readOnly }, "the dashboard is open");
  return { ...address, close };
}

export type Parts = {
  readonly config: DashboardConfig;
  readonly redis: Redis;
  readonly producer: ReturnType<typeof createProducer>;
  readonly events: ReturnType<typeof createEventStream>;
};

function createServer(config: DashboardConfig, log: Logger): FastifyInstance {
  const fromProxy = addressList(config.proxy?.addresses ?? []);
  return fastify({
    loggerInstance: log.child({ part: "dashboard" }) as Logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    connectionTimeout: IDLE_MS,
    forceCloseConnections: true,
    trustProxy: (address: string) => fromProxy(address),
    routerOptions: { maxParamLength: 1024 },
    frameworkErrors: (error, _request, reply) => {
      const { problem } = problemOf(error);
      void sendProblem(reply, problem);
    },
  }) as unknown as FastifyInstance; // pino's Logger has all that Fastify's own type of logger asks for
}

async function assemble(app: FastifyInstance, { config, redis, events }: Parts): Promise<void> {
  const sessions = createSessions(redis, config);
  const identify = createIdentify(config, sessions);
  await app.register(cookie);
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: CSP },
    // The dashboard itself may be served without TLS on loopback; a proxy in front sets this one.
    strictTransportSecurity: false,
    referrerPolicy: { policy: "same-origin" },
    xFrameOptions: { action: "deny" },
  });
  app.addHook("onSend", async (_request, reply, payload) => {
    reply.header("permissions-policy", PERMISSIONS);
    return payload;
  });
  guard(app, config, identify);
  await app.register(rateLimit, {
    max: config.limits.requests,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { after }) =>
      new HttpProblem(429, "TooManyRequests", `too many requests; try again in ${after}`),
  });
  app.setErrorHandler((error, request, reply) => {
    const { problem, headers, unexpected } = problemOf(error);
    if (unexpected) request.log.error({ err: error, method: request.method, url: request.url }, "a request failed");
    return sendProblem(reply, problem, headers);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      new HttpProblem(404, "NotFound", `there is no ${request.method} ${pathOf(request.url)}`).problem,
    ),
  );
  const overview = createOverview(redis, config.prefix);
  const throughput = createThroughput(redis, config.prefix);
  addRoutes(app, [
    ...sessionRoutes({ config, redis, sessions, identify }),
    ...overviewRoutes({ overview, throughput, events, identify }),
  ]);
  await addPages(app);
}

/** Commands fail soon rather than hang: a page that says what is wrong beats one that loads for ever. */
function connect(url: string, log: Logger): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: 1, connectTimeout: 3000, commandTimeout: 10_000 });
  let lost = false;
  redis.on("error", (error) => {
    if (!lost) log.warn({ err: error }, "Redis does not answer; trying again");
    lost = true;
  });
  redis.on("ready", () => {
    if (lost) log.info("Redis answers again");
    lost = false;
  });
  return redis;
}

function addressOf(app: FastifyInstance, config: DashboardConfig): Pick<Dashboard, "address" | "url"> {
  const bound = app.server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : config.port;
  const shown = isIPv6(config.host) ? `[${config.host}]` : config.host;
  return { address: { host: config.host, port }, url: `http://${shown}:${port}/` };
}

function pathOf(url: string): string {
  return url.split("?", 1)[0]?.slice(0, 200) ?? "";
}
