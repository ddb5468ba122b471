import { type Job, MetricsTime, type Telemetry, Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { ActivityError } from "../jobs/activity-error.ts";
import { backoff } from "../jobs/backoff.ts";
import { quarantineMalformed } from "../jobs/quarantine.ts";
import { BETWEEN_ATTEMPTS } from "../jobs/queues.ts";
import { withoutCommand } from "../jobs/without-command.ts";
import type { WorkerConfig } from "./config.ts";
import type { Running } from "./running.ts";

export type Started = { readonly worker: Worker; readonly running: Running };

type Options = {
  readonly queue: string;
  readonly redis: Redis;
  readonly prefix: string;
  readonly concurrency: number;
  readonly retention: WorkerConfig["retention"];
  readonly log: Logger;
  readonly process: (job: Job, token: string) => Promise<unknown>;
  readonly running: Running;
  readonly telemetry?: Telemetry | undefined;
  /** Instead of {@link RECOVERY}'s. */
  readonly recovery?: Partial<Record<keyof typeof RECOVERY, number>>;
};

/**
 * How a queue finds out that a worker died: its locks run out after `lockDuration`, and any other worker looks every `stalledInterval`.
 * Together under 45 s. A stall is not an attempt; a job that stalls ten times kills its workers and is given up.
 */
const RECOVERY = {
  lockDuration: 30_000,
  stalledInterval: 10_000,
  maxStalledCount: 10,
  maxStartedAttempts: 1000,
  runRetryDelay: 1000,
} as const;

/** A BullMQ worker for one queue, with the settings that lose nothing. */
export function startActivityWorker(options: Options): Worker {
  const { queue, redis, prefix, log, running } = options;
  const worker = new Worker(queue, async (job, token) => options.process(job, token ?? ""), {
    ...RECOVERY,
    ...options.recovery,
    connection: redis,
    prefix,
    concurrency: options.concurrency,
    // Completed and failed jobs a minute, for dashboards.
    metrics: { maxDataPoints: MetricsTime.ONE_WEEK },
    ...(options.telemetry && { telemetry: options.telemetry }),
    removeOnComplete: options.retention.completed,
    removeOnFail: options.retention.failed,
    settings: { backoffStrategy: (attemptsMade) => backoff(attemptsMade, BETWEEN_ATTEMPTS) },
  });
  worker.on("lockRenewalFailed", (jobIds: string[]) => {
    for (const jobId of jobIds)
      running.abort(
        jobId,
        new ActivityError("LockLost", `${queue} job ${jobId} runs elsewhere by now`, { retryable: true }),
      );
  });
  worker.on("error", (error) => {
    if (!(error instanceof SyntaxError))
      return log.warn({ queue, err: withoutCommand(error) }, "the queue reports an error");
    // A job that is not JSON: BullMQ has made it active and cannot read it.
    void putAside(options);
  });
  return worker;
}

async function putAside({ redis, prefix, queue, log }: Options): Promise<void> {
  try {
    const ids = await quarantineMalformed(redis, { prefix, queue });
    log.error({ queue, jobIds: ids }, "put malformed jobs into quarantine");
  } catch (error) {
    log.error({ queue, err: withoutCommand(error) }, "could not put a malformed job into quarantine");
  }
}
