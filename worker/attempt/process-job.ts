import { DelayedError, type Job, UnrecoverableError, WaitingError } from "bullmq";
import type { RedisClient } from "../../redis/connection/client.ts";
import type { Logger } from "pino";
import { ActivityError } from "../../model/activity-error.ts";
import type { ActivityName } from "../../jobs/contracts.ts";
import { backoff } from "../../model/backoff.ts";
import { noteScheduleRun } from "../../jobs/schedule-runs.ts";
import { BACKOFF, BETWEEN_ATTEMPTS, DEFAULT_ATTEMPTS, IDEMPOTENT_ID_PREFIX } from "../../jobs/queues.ts";
import { type RedisKeys } from "../../redis/keys.ts";
import type { ReplicaWait } from "../../redis/replica-wait.ts";
import { birthOf } from "../../redis/health/birth.ts";
import { loadScript } from "../../redis/scripts/load.ts";
import { runScript } from "../../redis/scripts/run.ts";
import { noteFailure } from "../../jobs/failures.ts";
import type { ProfileNotes } from "../monitoring/profile-notes.ts";
import type { Cancellation } from "./cancellation.ts";
import { createEvidence } from "./evidence.ts";
import { createLeases } from "../../redis/leases.ts";
import { holdObjects } from "./hold-objects.ts";
import { createJobProgress } from "./job-progress.ts";
import { decide, toActivityError, type Verdict } from "./retry.ts";
import { abandonUpload, type RunDeps, runJob } from "./run-job.ts";
import { createRunning, type Run } from "./running.ts";

/** What one attempt came to, for metrics. */
export type AttemptEvent = {
  readonly activity: ActivityName;
  readonly outcome: "completed" | Verdict;
  readonly code?: string;
  readonly durationMs: number;
};

export type ProcessorDeps = RunDeps & {
  readonly redis: RedisClient;
  readonly keys: RedisKeys;
  readonly cancellation: Cancellation;
  readonly replicas: ReplicaWait | undefined;
  readonly log: Logger;
  /** Milliseconds for one attempt. */
  readonly operationTimeoutMs: number;
  readonly onAttempt: (event: AttemptEvent) => void;
  /** This worker's. */
  readonly workerId: string;
  readonly profileNotes: ProfileNotes;
};

const setIfThere = loadScript(new URL("./scripts/set-if-there.lua", import.meta.url), {
  keys: ["hash"],
  args: ["field", "value"],
});

/** Wraps the pipeline of one attempt in what the queue must know: cancel, timeout, retry or not, and the typed error. */
export function createProcessor(activity: ActivityName, deps: ProcessorDeps) {
  const running = createRunning(activity);

  const process = async (job: Job, token: string): Promise<unknown> => {
    const jobId = job.id ?? "";
    const run = running.start({ jobId, token, processedOn: job.processedOn });
    const startedAt = performance.now();
    const log = deps.log.child({ activity, jobId, attempt: job.attemptsMade + 1 });
    const report = (outcome: AttemptEvent["outcome"], code?: string) => {
      const durationMs = Math.round(performance.now() - startedAt);
      deps.onAttempt({ activity, outcome, durationMs, ...(code !== undefined && { code }) });
      return durationMs;
    };
    adoptForeign(job);
    try {
      const result = await attempt(activity, job, { run, log, deps });
      log.info({ durationMs: report("completed") }, "completed");
      if (job.repeatJobKey) await noteRun(activity, job, undefined, deps);
      await deps.profileNotes.succeeded(job.data, activity === "validate-credentials");
      return result;
    } catch (thrown) {
      const error = toActivityError(thrown, run.signal);
      const verdict = decide(error);
      const level = error.code === "InternalError" ? "error" : "warn";
      log[level](
        { ...(level === "error" && { err: thrown }), error, verdict, durationMs: report(verdict, error.code) },
        error.message,
      );
      // A job whose lock is lost belongs to another worker by now, and so does what is written of its end.
      if (error.code !== "LockLost") await note(activity, job, { error, verdict, startedAt, deps });
      return await settle(verdict, error, job, token);
    } finally {
      running.end(jobId, run);
    }
  };

  /** It stalled more often than a job may: each of its workers died, or lost Redis for long. */
  const onGivenUp = (job: Job, cause: Error): void => {
    const error = new ActivityError("JobStalled", cause.message, { cause });
    note(activity, job, { error, verdict: "fail", startedAt: performance.now(), deps }).catch((problem: unknown) =>
      deps.log.warn({ err: problem, activity, jobId: job.id }, "could not write down why a job was given up"),
    );
  };

  return { process, running, onGivenUp };
}

type Failed = {
  readonly error: ActivityError;
  readonly verdict: Verdict;
  /** By `performance.now()`. */
  readonly startedAt: number;
  readonly deps: ProcessorDeps;
};

/** What the attempt failed with, in the job and, where it was the last one, among the failures. A cancel was somebody's wish and is none. */
async function note(activity: ActivityName, job: Job, { error, verdict, startedAt, deps }: Failed): Promise<void> {
  const ms = Math.round(performance.now() - startedAt);
  await deps.profileNotes.failed(job.data, error);
  const last = verdict === "fail" || (verdict === "retry" && job.attemptsMade + 1 >= (job.opts.attempts ?? 1));
  if (last && job.repeatJobKey) await noteRun(activity, job, error.code, deps);
  await noteFailure(deps.redis, deps.keys, {
    activity,
    id: job.id ?? "",
    data: job.data as unknown,
    error,
    failed: { at: Date.now() - ms, ms, code: error.code, worker: deps.workerId },
    final: last && error.code !== "Cancelled",
  });
}

/** Unless the hash was removed meanwhile. */
async function setField(redis: RedisClient, hash: string, field: string, value: string): Promise<void> {
  await runScript(redis, setIfThere, { hash }, { field, value });
}

/** How the run of a schedule ended. That it could not be noted is no reason for its job to fail. */
async function noteRun(activity: ActivityName, job: Job, code: string | undefined, deps: ProcessorDeps): Promise<void> {
  const run = { activity, schedule: job.repeatJobKey ?? "", id: job.id ?? "", code };
  await noteScheduleRun(deps.redis, deps.keys, run).catch((error: unknown) =>
    deps.log.warn({ err: error, ...run }, "could not note how the run of a schedule ended"),
  );
}

/** Producers in other languages may add a bare job: it gets the attempts and the backoff that ours would have asked for. */
function adoptForeign(job: Job): void {
  if (!job.opts.attempts) job.opts.attempts = DEFAULT_ATTEMPTS;
  job.opts.backoff ??= BACKOFF;
}

type Scope = { readonly run: Run; readonly log: Logger; readonly deps: ProcessorDeps };

async function attempt(activity: ActivityName, job: Job, { run, log, deps }: Scope): Promise<unknown> {
  const { redis, keys, operationTimeoutMs } = deps;
  const jobId = job.id ?? "";
  const { signal, deadline } = run;
  const timer = setTimeout(() => run.abort(timedOut(operationTimeoutMs)), operationTimeoutMs);
  let unwatch: (() => void) | undefined;
  try {
    // Starts count stalls too, which attempts do not.
    const fresh = job.attemptsStarted === 1;
    const lastAttempt = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    const key = keys.evidence(activity, jobId, birthOf(job));
    const evidence = createEvidence(redis, key, { fresh, lastAttempt, replicas: deps.replicas });
    try {
      unwatch = await deps.cancellation.watch({ activity, jobId, abort: run.abort });
    } catch (error) {
      if (!fresh) await abandonUpload({ activity, data: job.data, evidence }, deps);
      throw error;
    }
    if (jobId.startsWith(IDEMPOTENT_ID_PREFIX))
      await setField(redis, keys.idempotency(activity, jobId), "state", "added");
    const holder = `${activity} job ${jobId}`;
    const exclusively = holdObjects({ leases: createLeases(redis, keys), holder, token: run.token, signal });
    const { data, attemptsMade } = job;
    const progress = createJobProgress(job, log);
    const context = {
      progress,
      activity,
      jobId,
      data,
      attempt: attemptsMade + 1,
      evidence,
      identity: key,
      signal,
      deadline,
      exclusively,
      log,
    };
    const result = await runJob(context, deps);
    await evidence.release();
    return result;
  } finally {
    clearTimeout(timer);
    unwatch?.();
  }
}

const timedOut = (ms: number): ActivityError =>
  new ActivityError("OperationTimeout", `expected the attempt to end within ${ms / 1000} s`, { retryable: true });

/** Leaves the job where the verdict says; always throws, in the form that BullMQ understands. */
async function settle(verdict: Verdict, error: ActivityError, job: Job, token: string): Promise<never> {
  switch (verdict) {
    case "retry":
      throw error;
    case "later":
      await job.moveToDelayed(Date.now() + backoff(job.attemptsStarted - job.attemptsMade, BETWEEN_ATTEMPTS), token);
      throw new DelayedError();
    case "hand-over":
      // As above: nothing here may touch it.
      if (error.code !== "LockLost") await job.moveToWait(token);
      throw new WaitingError();
    case "fail":
      throw Object.assign(new UnrecoverableError(error.message), { cause: error });
  }
}
