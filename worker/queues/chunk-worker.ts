import { AsyncLocalStorage } from "node:async_hooks";
import { Queue, type Telemetry } from "bullmq";
import type { RedisClient } from "../../redis/connection/client.ts";
import type { Logger } from "pino";
import { createBatchQueue } from "../../batches/state/queue.ts";
import { createChunkProcessor } from "../../batches/chunk-processor.ts";
import type { ChunkDeps } from "../../batches/run/work.ts";
import { startWatchdog } from "../../batches/state/watchdog.ts";
import type { DocumentStore } from "../../documents/interface.ts";
import { CHUNK_QUEUE } from "../../jobs/queues.ts";
import type { TroubleLog } from "../../redis/connection/trouble-log.ts";
import { startActivityWorker, type Started } from "./activity-worker.ts";
import type { WorkerSettings } from "../config/parse.ts";
import { policyMatcher } from "../../credentials/policy.ts";
import type { Profiles } from "../../credentials/resolved-profile.ts";
import { createRunning } from "../attempt/running.ts";
import type { S3Pool } from "../../s3/pool.ts";
import { resolveTerms } from "../../s3/terms.ts";

/**
 * A chunk knows of every object how far it got, so that taking one over too early costs little: sooner than a job's. It starts as often
 * as it has to: one that waits for room, or for its turn, comes and goes.
 */
const RECOVERY = { lockDuration: 15_000, stalledInterval: 5_000, maxStartedAttempts: 0 };

type Options = {
  readonly config: WorkerSettings;
  readonly redis: RedisClient;
  readonly profiles: Profiles;
  readonly pool: S3Pool;
  readonly documents: DocumentStore;
  readonly replicas: ChunkDeps["replicas"];
  readonly log: Logger;
  readonly trouble: TroubleLog;
  readonly telemetry?: Telemetry | undefined;
  readonly onChunk?: ChunkDeps["onChunk"];
  readonly workerId: string;
};

/** Takes chunks of batches, and is one of the watchdogs that look after them. */
export function startChunkWorker(options: Options): Started & { close(): Promise<void> } {
  const { config, redis, profiles, pool, documents, replicas, log, trouble, telemetry, onChunk, workerId } = options;
  const { prefix } = config;
  const queue = new Queue(CHUNK_QUEUE, { connection: redis, prefix });
  queue.on("error", (error) => trouble(error, "a queue reports an error", { queue: CHUNK_QUEUE }));
  // Every chunk carries on the trace of the batch's start, beside the others. Were each below the one that handed it on, a trace would be as deep as the chain is long.
  const traces = new AsyncLocalStorage<string | undefined>();
  const jobs = createBatchQueue(queue, () => traces.getStore());
  const processChunk = createChunkProcessor({
    redis,
    prefix,
    queue: jobs,
    s3For: async (credentials, activity, spec, sent) =>
      pool.get(credentials, { activity, terms: { ...(await resolveTerms(spec, profiles)), onSent: sent } }),
    allowed: async (credentials, activity, bucket) =>
      policyMatcher(await profiles.resolve(credentials), activity, bucket),
    documents,
    replicas,
    log,
    onChunk,
  });
  const running = createRunning(CHUNK_QUEUE, RECOVERY.lockDuration);
  const worker = startActivityWorker({
    queue: CHUNK_QUEUE,
    redis,
    prefix,
    concurrency: config.concurrency.batches,
    retention: config.retention,
    log,
    trouble,
    running,
    workerId,
    recovery: RECOVERY,
    telemetry,
    process: async (job, token) => {
      const run = running.start({ jobId: job.id ?? "", token, processedOn: job.processedOn });
      try {
        await traces.run(job.opts.telemetry?.metadata, () => processChunk(job, token, run.signal, run.deadline));
      } finally {
        running.end(job.id ?? "", run);
      }
    },
  });
  const watchdog = startWatchdog({ redis, prefix, queue: jobs, log, trouble });
  return {
    worker,
    running,
    async close() {
      await watchdog.close();
      processChunk.close();
      await queue.close();
    },
  };
}
