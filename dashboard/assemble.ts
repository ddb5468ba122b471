import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import type { DocumentStore } from "../documents/interface.ts";
import { openDocumentStore } from "../documents/open.ts";
import { createProducer } from "../producer/index.ts";
import type { RedisClient } from "../redis/connection/client.ts";
import { cutRedis } from "../redis/connection/connect.ts";
import { troubleOf } from "../redis/connection/problem.ts";
import { reachRedis } from "../redis/connection/reach.ts";
import { trueCause } from "../redis/connection/true-cause.ts";
import { withoutCommand } from "../redis/connection/without-command.ts";
import { createActs } from "./access/acts.ts";
import { createIdentify } from "./access/identity.ts";
import { createOidc } from "./access/oidc/login.ts";
import { oidcRoutes } from "./access/oidc/routes.ts";
import { sessionRoutes } from "./access/session-routes.ts";
import { createSessions } from "./access/sessions.ts";
import { activityRoutes } from "./api/activity-routes.ts";
import { auditRoutes } from "./api/audit-routes.ts";
import { batchRoutes } from "./api/batches/routes.ts";
import { batchStreamRoutes } from "./api/batches/stream-routes.ts";
import { documentRoutes } from "./api/document-routes.ts";
import { jobRoutes } from "./api/job-routes.ts";
import { jobStreamRoutes } from "./api/job-stream-routes.ts";
import { openApiRoute } from "./api/openapi.ts";
import { quarantineRoutes } from "./api/quarantine-routes.ts";
import { queueRoutes } from "./api/queue-routes.ts";
import { overviewRoutes } from "./api/overview-routes.ts";
import { addBullBoard } from "./bull-board.ts";
import { openBullQueues } from "./bull-queues.ts";
import type { DashboardSettings } from "./config.ts";
import { createBaseOf } from "./http/base-path.ts";
import { createServer } from "./http/create-server.ts";
import { addRoutes } from "./http/route.ts";
import { carryOnTraces } from "./http/carry-on-traces.ts";
import { addMetrics } from "./metrics.ts";
import { readPageAssets } from "./page-assets.ts";
import { createNight } from "./night.ts";
import { addPages } from "./pages.ts";
import { createBatchViews } from "./watch/batch-views.ts";
import { createEventStream } from "./watch/event-stream.ts";
import { createOverview } from "./watch/overview.ts";
import { createRedisClock } from "./watch/redis-clock.ts";
import { createThroughput } from "./watch/throughput.ts";

/** For how many milliseconds a request waits for a Redis that does not answer. */
const REDIS_TIMEOUT_MS = 5000;
/** A start does not wait for Redis longer than this to learn whether it is a cluster. */
const KIND_WITHIN_MS = 3000;

/** The server with everything in it; `resources` are what has to be closed with it. */
export async function assemble(
  config: DashboardSettings,
  log: Logger,
  resources: AsyncDisposableStack,
): Promise<FastifyInstance> {
  const { prefix, telemetry } = config;
  const redis = await connect(config, log);
  resources.defer(() => cutRedis(redis));
  const documents = lazyStore(config.documentsUrl, resources);
  const producer = createProducer({
    redis,
    prefix,
    documents: config.documentsUrl,
    redisTimeout: REDIS_TIMEOUT_MS,
    telemetry,
    actor: false, // each request has one of its own
  });
  resources.defer(() => producer.close());
  const { batches } = producer;
  const queues = openBullQueues(redis, { prefix, log });
  resources.defer(() => queues.close());

  const sessions = createSessions(redis, config);
  const identify = createIdentify(config, sessions);
  const app = await createServer(config, { identify, baseOf: createBaseOf(config), log });
  if (telemetry) await carryOnTraces(app);
  resources.defer(() => app.close());
  const events = createEventStream();
  // First: the server waits for its requests to end.
  resources.defer(() => events.close());

  const clock = createRedisClock(redis);
  const views = createBatchViews(redis, prefix, clock);
  const overview = createOverview(redis, prefix, { views, clock });
  const throughput = createThroughput(redis, prefix, clock);
  const night = createNight({ config, redis, clock, producer, queues, views, overview, log });
  resources.defer(() => night.close());
  const routes = [
    ...activityRoutes({ producer }),
    ...queueRoutes({ queues }),
    ...jobRoutes({ config, redis, producer, queues }),
    ...quarantineRoutes({ config, redis }),
    ...documentRoutes({ config, documents }),
    ...batchRoutes({ batches, views }),
    ...batchStreamRoutes({ batches, views, events, identify }),
    ...jobStreamRoutes({ config, redis, events, identify }),
    ...overviewRoutes({ overview: night.glance, throughput, views, events, identify }),
    ...night.routes,
    ...auditRoutes({ redis, prefix }),
    ...(config.oidc === undefined ? [] : oidcRoutes({ config, oidc: createOidc(config.oidc), sessions })),
    ...sessionRoutes({ config, redis, sessions, identify }),
  ];
  addMetrics(app, { overview, batches: views, documents, events });
  const acts = createActs(redis, prefix);
  addRoutes(app, [...routes, openApiRoute(routes)], acts);
  const assets = readPageAssets();
  if (config.bullBoard) await addBullBoard(app, { redis, prefix, queues, assets, acts, readOnly: config.readOnly });
  await addPages(app, assets, { withProvider: config.oidc !== undefined, withPasswords: config.users.length > 0 });
  return app;
}

/** Opened when first used: a store that cannot be reached is a failed request, not a dashboard that does not start. */
function lazyStore(url: string, resources: AsyncDisposableStack): () => Promise<DocumentStore> {
  let opening: Promise<DocumentStore> | undefined;
  return async () => {
    if (opening !== undefined) return opening;
    const store = openDocumentStore(url);
    opening = store;
    try {
      const opened = await store;
      resources.defer(() => opened.close());
      return opened;
    } catch (error) {
      opening = undefined;
      throw error;
    }
  };
}

/** Commands fail soon rather than hang: a page that says what is wrong beats one that loads for ever. */
async function connect({ redis: location, prefix }: DashboardSettings, log: Logger): Promise<RedisClient> {
  let lost = false;
  const redis = await reachRedis(location, {
    prefix,
    within: KIND_WITHIN_MS,
    maxRetriesPerRequest: 1,
    commandTimeout: 10_000,
    onError: (error, client) => {
      if (!lost) void tellCause(client, error, log);
      lost = true;
    },
  });
  redis.on("ready", () => {
    if (lost) log.info("Redis answers again");
    lost = false;
  });
  return redis;
}

async function tellCause(client: RedisClient, error: Error, log: Logger): Promise<void> {
  const cause = await trueCause(client, error);
  log.warn({ err: withoutCommand(cause) }, `${troubleOf(cause)}; trying again`);
}
