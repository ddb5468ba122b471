import { type Job, MetricsTime, type Telemetry, Worker } from "bullmq";
import type { RedisClient } from "../../redis/connection/client.ts";
import type { Logger } from "pino";
import { ActivityError } from "../../model/activity-error.ts";
import { backoff } from "../../model/backoff.ts";
import { quarantineMalformed } from "../../jobs/quarantine.ts";
import { BETWEEN_ATTEMPTS } from "../../jobs/queues.ts";
import { connectionProblem, isRefusal } from "../../redis/connection/problem.ts";
import type { TroubleLog } from "../../redis/connection/trouble-log.ts";
import type { WorkerConfig } from "../config/parse.ts";
import { LOCK_MS, type Running } from "../attempt/running.ts";
import { giveBackUnheard } from "./give-back-unheard.ts";

export type Started = { readonly worker: Worker; readonly running: Running };

type Options = {
  readonly queue: string;
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly concurrency: number;
  readonly retention: WorkerConfig["retention"];
  readonly log: Logger;
  /** Told of what goes wrong between the queue and Redis. */
  readonly trouble: TroubleLog;
  readonly process: (job: Job, token: string) => Promise<unknown>;
  readonly running: Running;
  /** Kept with each job that it takes: who had it. */
  readonly workerId?: string;
  /** Told of a job that was failed without an attempt of it: it stalled too often. */
  readonly onGivenUp?: (job: Job, error: Error) => void;
  readonly telemetry?: Telemetry | undefined;
  /** Instead of {@link RECOVERY}'s. */
  readonly recovery?: Partial<Record<keyof typeof RECOVERY, number>>;
};

/**
 * How a queue finds out that a worker died: its locks run out after `lockDuration`, and any other worker looks every `stalledInterval`.
 * Together under 45 s. A stall is not an attempt; a job that stalls ten times kills its workers and is given up.
 */
const RECOVERY = {
  lockDuration: LOCK_MS,
  stalledInterval: 10_000,
  maxStalledCount: 10,
  maxStartedAttempts: 1000,
  runRetryDelay: 1000,
} as const;

/** What BullMQ says of a job that it gives up by itself. */
const GIVEN_UP = /^job (?:stalled|started) more than/;

/** A BullMQ worker for one queue, with the settings that lose nothing. */
export function startActivityWorker(options: Options): Worker {
  const { queue, redis, prefix, running } = options;
  const process = async (job: Job, token?: string) => {
    if (isUnfinishable(job)) await refuseMalformed(options, job);
    return await options.process(job, token ?? "");
  };
  const recovery = { ...RECOVERY, ...options.recovery };
  const worker = new Worker(queue, process, {
    ...recovery,
    // Well within the half of the lock's time after which nothing may be deleted any more.
    lockRenewTime: recovery.lockDuration / 4,
    connection: redis,
    prefix,
    ...(options.workerId !== undefined && { name: options.workerId }),
    concurrency: options.concurrency,
    // Completed and failed jobs a minute, for dashboards.
    metrics: { maxDataPoints: MetricsTime.ONE_WEEK },
    ...(options.telemetry && { telemetry: options.telemetry }),
    removeOnComplete: options.retention.completed,
    removeOnFail: options.retention.failed,
    settings: { backoffStrategy: (attemptsMade) => backoff(attemptsMade, BETWEEN_ATTEMPTS) },
  });
  confirmRenewals(worker, running);
  giveBackUnheard(worker, options);
  worker.on("lockRenewalFailed", (jobIds: string[]) => {
    for (const jobId of jobIds)
      running.abort(
        jobId,
        new ActivityError("LockLost", `${queue} job ${jobId} runs elsewhere by now`, { retryable: true }),
      );
  });
  worker.on("failed", (job, error) => {
    if (job !== undefined && GIVEN_UP.test(error.message)) options.onGivenUp?.(job, error);
  });
  const look = lookForMalformed(options);
  worker.on("error", (error) => {
    if (!mayComeOfMalformed(error)) return options.trouble(error, QUEUE_ERROR, { queue });
    look(undefined, error);
  });
  // One that BullMQ could make active and then not read has no owner, and stalls.
  worker.on("stalled", (id) => look([id]));
  return worker;
}

/** BullMQ says which locks it renewed, but not when it asked for that: they live from then on at the latest. */
function confirmRenewals(worker: Worker, running: Running): void {
  const extend = worker.extendJobLocks.bind(worker);
  worker.extendJobLocks = async (jobIds, tokens, duration) => {
    const sentAt = performance.now();
    const refused = new Set(await extend(jobIds, tokens, duration));
    for (const [index, jobId] of jobIds.entries())
      if (!refused.has(jobId)) running.confirm(jobId, tokens[index] ?? "", sentAt);
    return [...refused];
  };
}

/** BullMQ can read such a job, and loses it when it ends: it counts in Redis, after it took the job out of its list. */
function isUnfinishable({ attemptsMade, stalledCounter, opts }: Job): boolean {
  return Number.isNaN(attemptsMade) || Number.isNaN(stalledCounter) || Object.hasOwn(opts, 0);
}

async function refuseMalformed(options: Options, { id = "" }: Job): Promise<void> {
  const { queue } = options;
  if ((await putAside(options, [id])) === 0) return;
  throw new ActivityError("MalformedJob", `${queue} job ${id}: it was put into quarantine`);
}

const QUEUE_ERROR = "a queue reports an error";

/** What BullMQ reports of a job that it has made active and cannot read, among other things. */
function mayComeOfMalformed(error: Error): boolean {
  return (
    error instanceof SyntaxError ||
    error instanceof TypeError ||
    (error.name === "ReplyError" && connectionProblem(error) !== "transient" && !isRefusal(error)) ||
    error.message.startsWith("Failed to add repeatable job")
  );
}

/** Looks for malformed jobs, one look at a time: an error that comes meanwhile is answered by one more look. */
function lookForMalformed(options: Options): (ids?: readonly string[], error?: Error) => void {
  const { queue } = options;
  let looking: Promise<void> | undefined;
  let again = false;
  return function look(ids, error) {
    if (looking !== undefined) {
      again = true;
      return;
    }
    looking = (async () => {
      const count = await tryToPutAside(options, ids);
      looking = undefined;
      if (count === 0 && error) options.trouble(error, QUEUE_ERROR, { queue });
      if (again) look(undefined, undefined);
    })();
    again = false;
  };
}

/** Returns how many were put aside. */
async function putAside({ redis, prefix, queue, log }: Options, ids?: readonly string[]): Promise<number> {
  const aside = await quarantineMalformed(redis, { prefix, queue, ...(ids && { ids }) });
  if (aside.length > 0) log.error({ queue, jobIds: aside }, "put malformed jobs into quarantine");
  return aside.length;
}

async function tryToPutAside(options: Options, ids?: readonly string[]): Promise<number> {
  try {
    return await putAside(options, ids);
  } catch (error) {
    options.trouble(error, "could not look for malformed jobs", { queue: options.queue });
    return 0;
  }
}
