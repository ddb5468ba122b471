import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { type Logger, pino } from "pino";
import type { DocumentStore } from "../documents/interface.ts";
import { openDocumentStore } from "../documents/open.ts";
import { startSweeper } from "../documents/sweeper.ts";
import { type RedisKeys, redisKeys } from "../redis/keys.ts";
import { startActivityWorker, type Started } from "./queues/activity-worker.ts";
import { startCancellation } from "./attempt/cancellation.ts";
import { checkRedis } from "../redis/health/check.ts";
import { followRedisClock } from "../redis/health/clock.ts";
import type { RedisClient } from "../redis/connection/client.ts";
import { cutRedis } from "../redis/connection/connect.ts";
import { troubleOf } from "../redis/connection/problem.ts";
import { reachRedis } from "../redis/connection/reach.ts";
import type { ReplicaWait } from "../redis/replica-wait.ts";
import { createTroubleLog, type TroubleLog } from "../redis/connection/trouble-log.ts";
import { trueCause } from "../redis/connection/true-cause.ts";
import { watchWrites, type WriteWatch } from "../redis/health/write-watch.ts";
import { startChunkWorker } from "./queues/chunk-worker.ts";
import { stopQueues } from "./queues/stop.ts";
import { openToAll } from "./config/open-to-all.ts";
import type { WorkerSettings } from "./config/parse.ts";
import { loadProfiles } from "../credentials/load-profiles.ts";
import type { Profiles } from "../credentials/resolved-profile.ts";
import type { BucketlineWorker, WorkerOptions } from "./interface.ts";
import { VERSION } from "../model/version.ts";
import { startHealth } from "./monitoring/health.ts";
import { createProfileNotes } from "./monitoring/profile-notes.ts";
import { startHeartbeat } from "./monitoring/heartbeat.ts";
import { createMetrics } from "./monitoring/metrics.ts";
import { type AttemptEvent, createProcessor } from "./attempt/process-job.ts";
import type { RequestEvent } from "../s3/create.ts";
import { keepLessons } from "./monitoring/lessons.ts";
import { createS3Pool } from "../s3/pool.ts";
import { waitForReplicas } from "./wait-for-replicas.ts";
import { openTelemetry } from "./monitoring/telemetry.ts";

/** Where a worker is in its life; what the probes tell. */
type State = {
  phase: "starting" | "taking jobs" | "closing";
  readonly queues: Started[];
  /** Looks whether Redis takes writes, from the moment it did. */
  writes?: WriteWatch;
};

/** How far the clock may be off, in milliseconds: where it can be set right, and where it cannot. */
const MAX_SKEW_MS = { process: 24 * 3_600_000, library: 5000 } as const;

type Scope = {
  readonly config: WorkerSettings;
  readonly log: Logger;
  readonly trouble: TroubleLog;
  readonly lessons: ReturnType<typeof keepLessons>;
  readonly onAttempt: (event: AttemptEvent) => void;
  readonly ownProcess: boolean;
  readonly keys: RedisKeys;
  readonly signal: AbortSignal;
  readonly state: State;
  /** What has to be closed, newest first. */
  readonly resources: AsyncDisposableStack;
};

/**
 * Starts a worker; resolves once it takes jobs. Throws `InvalidConfiguration` or `UnsafeRedis` and then leaves nothing behind.
 *
 * @example
 * import { createWorker, parseWorkerConfig } from "bucketline/worker";
 *
 * const worker = await createWorker(parseWorkerConfig(process.env));
 * process.once("SIGTERM", () => void worker.close());
 */
export async function createWorker(config: WorkerSettings, options: WorkerOptions = {}): Promise<BucketlineWorker> {
  const { log = pino({ level: config.logLevel }), onAttempt = () => {}, ownProcess = false, signal } = options;
  signal?.throwIfAborted();
  const resources = new AsyncDisposableStack();
  const state: State = { phase: "starting", queues: [] };
  // A start that failed must not go on behind the scenes.
  const failed = new AbortController();
  const ends = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const scope = {
    config,
    log,
    trouble: createTroubleLog(log),
    lessons: keepLessons(log),
    onAttempt,
    ownProcess,
    keys: redisKeys(config.prefix),
    signal: ends,
    state,
    resources,
  };
  try {
    return await unlessAborted(start(scope), ends);
  } catch (error) {
    state.phase = "closing";
    failed.abort(error);
    await resources.disposeAsync();
    throw error;
  }
}

/** Commands that wait for Redis are not settled by a disconnect, so the wait for them is what has to end. */
async function unlessAborted<Result>(running: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason as Error);
  signal.addEventListener("abort", onAbort);
  // What still comes of it after an abort is of no interest to anybody.
  running.catch(() => undefined);
  try {
    return await Promise.race([running, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function start(scope: Scope): Promise<BucketlineWorker> {
  const { config, log, trouble, keys, signal, state, resources } = scope;
  const profiles = await loadProfiles({ ...config.profiles, log });
  const id = randomUUID();
  const count = () => state.queues.reduce((sum, { running }) => sum + running.count(), 0);
  const metrics = createMetrics(count);
  // Before Redis is asked anything: a probe must be able to tell a worker that waits from one that hangs.
  const health = config.health && (await startHealth(probes(scope, metrics.page), config.health));
  if (health) {
    resources.defer(() => health.close());
    log.info({ port: health.port }, "serving probes and metrics");
  }
  const redis = await connect(scope);
  const facts = await checkRedis(redis, {
    allowEviction: config.allowEviction,
    probeKey: keys.probe(),
    onTrouble: (error) => trouble(error, "Redis takes no writes yet; waiting for it"),
    signal,
  });
  await followRedisClock(redis, {
    boundMs: scope.ownProcess ? MAX_SKEW_MS.process : MAX_SKEW_MS.library,
    correct: scope.ownProcess,
    onSkew: (skewMs) =>
      log.warn({ skewMs }, "this machine's clock is not that of Redis, by which everything is counted"),
  });
  const replicas = waitForReplicas(scope, redis, facts);
  await startQueues(scope, { redis, metrics, replicas, workerId: id, profiles });
  const activities = state.queues.map(({ worker }) => worker.name);
  const info = {
    id,
    host: hostname(),
    pid: process.pid,
    activities,
    concurrency: config.concurrency,
    version: VERSION,
    startedAt: new Date(Date.now()).toISOString(),
  };
  const held = () => state.queues.flatMap(({ worker, running }) => running.ids().map((job) => `${worker.name}/${job}`));
  const heartbeat = startHeartbeat(redis, keys, { info, held, lessons: () => scope.lessons.all(), trouble });
  resources.defer(() => heartbeat.close());
  state.writes = watchWrites(redis, keys.probe(), takingJobs(scope));
  resources.defer(() => state.writes?.close());
  state.phase = "taking jobs";
  log.info({ workerId: id, redis: facts.version, activities }, "taking jobs");
  return {
    id,
    ...(health && { healthPort: health.port }),
    async close() {
      state.phase = "closing";
      await resources.disposeAsync();
      log.info({ workerId: id }, "stopped");
    },
  };
}

/** While Redis takes no writes nothing could be taken: the queues are left alone, rather than asked hundreds of times a second. */
function takingJobs({ log, state }: Scope) {
  return {
    lost: (reason: string) => {
      log.warn({ reason }, "Redis takes no writes; taking no jobs until it does");
      for (const { worker } of state.queues) void worker.pause(true);
    },
    back: () => {
      log.info("Redis takes writes again; taking jobs");
      if (state.phase !== "closing") for (const { worker } of state.queues) void worker.resume();
    },
  };
}

type Means = {
  readonly redis: RedisClient;
  readonly metrics: ReturnType<typeof createMetrics>;
  readonly replicas: ReplicaWait | undefined;
  readonly workerId: string;
  readonly profiles: Profiles;
};

/** A BullMQ worker for each activity, and one for chunks; all share one Redis connection, one pool of stores and one document store. */
async function startQueues(scope: Scope, { redis, metrics, replicas, workerId, profiles }: Means): Promise<void> {
  const { config, log, keys, state, resources } = scope;
  const trouble = queueTrouble(scope, redis);
  const telemetry = config.telemetry ? await openTelemetry() : undefined;
  const onRequest = (event: RequestEvent) => {
    metrics.onRequest(event);
    telemetry?.onRequest(event);
  };
  const pool = createS3Pool(profiles, { ...config.s3, onRequest, onLesson: scope.lessons.onLesson });
  resources.defer(() => pool.close());
  const documents = await openDocuments(scope, profiles);
  const cancellation = await startCancellation(redis, keys, trouble);
  resources.defer(() => cancellation.close());
  const onAttempt = (event: AttemptEvent) => {
    metrics.onAttempt(event);
    scope.onAttempt(event);
  };
  const { operationTimeoutMs, retention } = config;
  const profileNotes = createProfileNotes({ redis, keys, profiles, log });
  const attempts = { onAttempt, operationTimeoutMs, workerId, profileNotes };
  const shared = { redis, keys, profiles, pool, documents, cancellation, replicas, log, ...attempts };
  for (const activity of config.activities) {
    const processor = createProcessor(activity, { ...shared, listTtl: retention.completed.age });
    const concurrency = config.concurrency[activity];
    const queue = { queue: activity, redis, prefix: config.prefix, concurrency, retention, log, trouble, ...processor };
    const worker = startActivityWorker({ ...queue, workerId, telemetry: telemetry?.bullmq });
    state.queues.push({ worker, running: processor.running });
  }
  if (config.batches) {
    const chunks = startChunkWorker({
      config,
      redis,
      profiles,
      pool,
      documents,
      replicas,
      log,
      trouble,
      telemetry: telemetry?.bullmq,
      onChunk: metrics.onChunk,
      workerId,
    });
    state.queues.push(chunks);
    resources.defer(() => chunks.close());
  }
  resources.defer(() => stopQueues(state.queues, config.shutdownTimeoutMs));
  await Promise.all(state.queues.map(({ worker }) => worker.waitUntilReady()));
}

async function openDocuments({ config, log, resources }: Scope, profiles: Profiles): Promise<DocumentStore> {
  const documents = await openDocumentStore(config.documentsUrl, {
    log,
    s3: async (profile) => (await profiles.resolve(profile)).connection,
  });
  resources.defer(() => documents.close());
  for (const { variable, path } of await openToAll(config))
    log.warn({ variable, path }, "everybody on this machine may change what this worker trusts");
  const sweeper = startSweeper(documents, { log });
  resources.defer(() => sweeper.stop());
  return documents;
}

/** Commands wait for Redis for ever rather than fail: a worker outlives an outage. */
async function connect({ config, trouble, signal, resources }: Scope): Promise<RedisClient> {
  const onError = (error: Error, client: RedisClient) =>
    void tellCause(client, error, (cause) => trouble(cause, `${troubleOf(cause)}; trying again`));
  const redis = await reachRedis(config.redis, { prefix: config.prefix, onError, signal });
  resources.defer(() => cutRedis(redis));
  return redis;
}

/** An error of a queue, with what is behind it, also makes us look whether Redis takes writes at all. */
function queueTrouble({ trouble, state }: Scope, redis: RedisClient): TroubleLog {
  return (error, message, fields) => {
    state.writes?.suspect();
    void tellCause(redis, error, (cause) => trouble(cause, message, fields));
  };
}

async function tellCause(redis: RedisClient, error: unknown, tell: (cause: unknown) => void): Promise<void> {
  tell(await trueCause(redis, error));
}

function probes({ state }: Scope, metrics: () => Promise<{ readonly type: string; readonly body: string }>) {
  return {
    live: () =>
      state.phase !== "taking jobs" ||
      state.queues.every(({ worker }) => worker.isRunning() || state.writes?.trouble() !== undefined),
    ready: () => {
      const checks = {
        redis: state.writes !== undefined && state.writes.trouble() === undefined,
        takingJobs: state.phase === "taking jobs" && state.queues.every(({ worker }) => !worker.isPaused()),
      };
      return { ready: checks.redis && checks.takingJobs, checks };
    },
    pages: { "/metrics": metrics },
  };
}
