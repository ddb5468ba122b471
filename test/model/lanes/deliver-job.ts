import type { Job } from "bullmq";
import { pino } from "pino";
import type { DocumentStore } from "../../../documents/interface.ts";
import { ActivityError } from "../../../model/activity-error.ts";
import { redisKeys } from "../../../redis/keys.ts";
import { openStore } from "../../../s3/create.ts";
import type { S3Pool } from "../../../s3/pool.ts";
import { createProcessor, type ProcessorDeps } from "../../../worker/attempt/process-job.ts";
import { LOCK_MS } from "../../../worker/attempt/running.ts";
import { judgeResult } from "../judge/results.ts";
import type { Scene } from "../scene.ts";
import { openModelS3 } from "../transport.ts";
import { ATTEMPTS, type JobQueue, type ModelJob, type TakenJob } from "./job-queue.ts";

const keys = redisKeys("model");
const log = pino({ level: "silent" });

/** One delivery of one job, if one waits: the part of BullMQ's worker. */
export async function deliverJob(scene: Scene, queue: JobQueue): Promise<void> {
  const taken = await queue.take();
  if (taken === undefined) return;
  const { job, token } = taken;
  const by = runName(taken);
  const { process, running } = createProcessor(job.activity, processorDeps(scene, by));
  const renewal = setInterval(() => {
    const sentAt = performance.now();
    const lost = new ActivityError("LockLost", "the lock is another run's", { retryable: true });
    void queue.renew(taken).then((is) => (is ? running.confirm(job.id, token, sentAt) : running.abort(job.id, lost)));
  }, LOCK_MS / 4);
  try {
    const result = await process(bullJob(queue, taken), token);
    judgeResult(scene, { job, result, by });
    scene.meet(`${job.activity} done`);
    await queue.complete(taken);
  } catch (error) {
    await queue.fail(taken, error);
  } finally {
    clearInterval(renewal);
  }
}

/** Whose a request is; with what it may write over. */
function runName({ job: { activity, id, data }, token }: TakenJob): string {
  return `${activity === "delete-object" ? "delete" : activity} ${id} ${token} ${data.onConflict ?? ""}`;
}

function processorDeps({ redis, connection, world, store }: Scene, by: string): ProcessorDeps {
  const s3 = openStore(openModelS3(connection, world, store, { by }));
  return {
    redis: redis.client,
    keys,
    cancellation: { watch: () => Promise.resolve(() => undefined) } as unknown as ProcessorDeps["cancellation"], // nobody cancels a single job here
    log,
    replicas: undefined,
    workerId: "model",
    profileNotes: { failed: () => Promise.resolve(), succeeded: () => Promise.resolve() },
    operationTimeoutMs: 600_000,
    onAttempt: () => undefined,
    profiles: {
      resolve: () => Promise.resolve({ connection, policy: undefined }),
    } as unknown as ProcessorDeps["profiles"], // one profile, which may all
    pool: { get: () => Promise.resolve(s3), close: () => Promise.resolve() } satisfies S3Pool,
    documents: {} as DocumentStore, // moves, copies and deletes have none
    listTtl: 60,
  };
}

/** A job as BullMQ hands it to its processor. */
function bullJob(queue: JobQueue, taken: TakenJob): Job {
  const { id, data, timestamp, attemptsMade, attemptsStarted }: ModelJob = taken.job;
  const asked = {
    id,
    data,
    opts: { attempts: ATTEMPTS },
    timestamp,
    processedOn: Date.now(),
    attemptsMade,
    attemptsStarted,
    moveToDelayed: () => queue.delay(taken),
    moveToWait: () => queue.handOver(taken),
    updateProgress: () => Promise.resolve(),
  };
  return asked as unknown as Job; // all that the processor asks of one
}
