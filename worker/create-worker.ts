import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { Redis } from "ioredis";
import { type Logger, pino } from "pino";
import { openDocumentStore } from "../documents/open-document-store.ts";
import { startSweeper } from "../documents/sweeper.ts";
import { ActivityError } from "../jobs/activity-error.ts";
import { CHUNK_QUEUE, redisKeys } from "../jobs/queues.ts";
import { startActivityWorker, type Started } from "./activity-worker.ts";
import { startCancellation } from "./cancellation.ts";
import { checkRedis } from "./check-redis.ts";
import { startChunkWorker } from "./chunk-worker.ts";
import type { WorkerConfig } from "./config.ts";
import { loadProfiles } from "./credentials/load-profiles.ts";
import { startHealth } from "./health.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { createMetrics } from "./metrics.ts";
import { type AttemptEvent, createProcessor } from "./process-job.ts";
import type { RequestEvent } from "./s3/create-s3.ts";
import { createS3Pool } from "./s3-pool.ts";
import { openTelemetry } from "./telemetry.ts";

export type WorkerOptions = {
  /** Default: pino to standard output at the configured level. */
  readonly log?: Logger;
  readonly onAttempt?: (event: AttemptEvent) => void;
};

/** A running worker. */
export type BucketlineWorker = {
  readonly id: string;
  /** The port of the probes, where they are served. */
  readonly healthPort?: number;
  /** Stops taking jobs, lets running ones end until the shutdown timeout, hands the rest back to their queues. */
  close(): Promise<void>;
};

/** Everything that has to be closed, newest first. */
type Closer = () => Promise<unknown>;

/** Starts a worker; resolves once it takes jobs. Throws `InvalidConfiguration` or `UnsafeRedis` and then leaves nothing behind. */
export async function createWorker(config: WorkerConfig, options: WorkerOptions = {}): Promise<BucketlineWorker> {
  const log = options.log ?? pino({ level: config.logLevel });
  const closers: Closer[] = [];
  const close = async () => {
    for (const closer of closers.toReversed()) await closer();
  };
  try {
    return await start(config, { log, onAttempt: options.onAttempt ?? (() => {}) }, closers);
  } catch (error) {
    await close();
    throw error;
  }
}

type Scope = { readonly log: Logger; readonly onAttempt: (event: AttemptEvent) => void };

async function start(config: WorkerConfig, { log, onAttempt }: Scope, closers: Closer[]): Promise<BucketlineWorker> {
  const id = randomUUID();
  const keys = redisKeys(config.prefix);
  const redis = connect(config.redis, log);
  closers.push(async () => redis.disconnect());
  const facts = await checkRedis(redis, { allowEviction: config.allowEviction, key: keys.workers() });
  const profiles = await loadProfiles({ ...config.profiles, log });
  const workers: Started[] = [];
  const count = () => workers.reduce((sum, { running }) => sum + running.count(), 0);
  const metrics = createMetrics(count);
  const telemetry = config.telemetry ? await openTelemetry() : undefined;
  const onRequest = (event: RequestEvent) => {
    metrics.onRequest(event);
    telemetry?.onRequest(event);
  };
  const pool = createS3Pool(profiles, { ...config.s3, onRequest });
  closers.push(() => pool.close());
  const documents = await openDocumentStore(config.documentsUrl, {
    log,
    s3: async (profile) => (await profiles.resolve(profile)).connection,
  });
  closers.push(() => documents.close());
  const sweeper = startSweeper(documents, { log });
  closers.push(() => sweeper.stop());
  const cancellation = await startCancellation(redis, keys, log);
  closers.push(() => cancellation.close());

  const deps = {
    redis,
    keys,
    profiles,
    pool,
    documents,
    cancellation,
    log,
    onAttempt: (event: AttemptEvent) => {
      metrics.onAttempt(event);
      onAttempt(event);
    },
    operationTimeoutMs: config.operationTimeoutMs,
    listTtl: config.retention.completed.age,
  };
  for (const activity of config.activities) {
    const { process, running } = createProcessor(activity, deps);
    const worker = startActivityWorker({
      queue: activity,
      redis,
      prefix: config.prefix,
      concurrency: config.concurrency[activity],
      retention: config.retention,
      log,
      process,
      running,
      telemetry: telemetry?.bullmq,
    });
    workers.push({ worker, running });
  }
  if (config.batches) {
    const chunks = startChunkWorker({ config, redis, profiles, pool, documents, log });
    workers.push(chunks);
    closers.push(() => chunks.close());
  }
  closers.push(() => stop(workers, config.shutdownTimeoutMs));
  await Promise.all(workers.map(({ worker }) => worker.waitUntilReady()));
  const { concurrency } = config;
  const activities = [...config.activities, ...(config.batches ? [CHUNK_QUEUE] : [])];
  const info = { id, host: hostname(), pid: process.pid, activities, concurrency, startedAt: new Date().toISOString() };
  const heartbeat = startHeartbeat(redis, keys, info, count, log);
  closers.push(() => heartbeat.close());

  let closing = false;
  const health =
    config.health &&
    (await startHealth(
      { ...probes(redis, workers, () => closing), pages: { "/metrics": metrics.page } },
      config.health,
    ));
  if (health) closers.push(() => health.close());
  log.info({ workerId: id, redis: facts.version, activities }, "taking jobs");
  return {
    id,
    ...(health && { healthPort: health.port }),
    async close() {
      if (closing) return;
      closing = true;
      for (const closer of closers.toReversed()) await closer();
      log.info({ workerId: id }, "stopped");
    },
  };
}

/** Commands wait for Redis for ever rather than fail: a worker outlives an outage. */
function connect(url: string, log: Logger): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  redis.on("error", (error) => log.warn({ err: error }, "Redis does not answer; trying again"));
  return redis;
}

function probes(redis: Redis, workers: readonly Started[], closing: () => boolean) {
  return {
    live: () => workers.every(({ worker }) => worker.isRunning()) || closing(),
    ready: () => {
      const checks = { redis: redis.status === "ready", running: !closing() };
      return { ready: checks.redis && checks.running, checks };
    },
  };
}

/** Lets running jobs end; at the deadline hands the rest back, then waits for them to let go. */
async function stop(workers: readonly Started[], timeoutMs: number): Promise<void> {
  const deadline = setTimeout(() => {
    const reason = new ActivityError("WorkerShutdown", "the worker stops; another one takes the job", {
      retryable: true,
    });
    for (const { running } of workers) running.abortAll(reason);
  }, timeoutMs);
  await Promise.all(workers.map(({ worker }) => worker.close()));
  clearTimeout(deadline);
}
