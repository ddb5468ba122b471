import type { ActivityError } from "../../model/activity-error.ts";
import { type Deadline, startDeadline } from "../../redis/deadline.ts";

/** One run of a job: what ends it, and until when it may delete. A job may run twice at once where its lock was lost. */
export type Run = {
  /** Ends with a lost lock, a cancel, a timeout, or the worker's shutdown deadline. */
  readonly signal: AbortSignal;
  readonly deadline: Deadline;
  /** Of this run alone. */
  readonly token: string;
  abort(reason: ActivityError): void;
};

type Started = {
  readonly jobId: string;
  /** Of this run: only it renews this run's lock. */
  readonly token: string;
  /** When BullMQ asked for the job, in milliseconds since 1970 by this process' clock; its lock cannot be younger. */
  readonly processedOn?: number | undefined;
};

/** The runs of one queue's jobs in this process, so that a lost lock or a shutdown can end them. */
export type Running = {
  start(job: Started): Run;
  end(jobId: string, run: Run): void;
  /** The lock of this run was renewed. @param sentAt when that was asked for, by `performance.now()` */
  confirm(jobId: string, token: string, sentAt: number): void;
  abort(jobId: string, reason: ActivityError): void;
  abortAll(reason: ActivityError): void;
  count(): number;
  /** Ids of the jobs. */
  ids(): readonly string[];
};

/** For how long the lock of a job lives without a renewal, in milliseconds. */
export const LOCK_MS = 30_000;

export function createRunning(queue: string, lockMs = LOCK_MS): Running {
  const runs = new Map<string, Set<Run>>();
  const of = (jobId: string): Run[] => [...(runs.get(jobId) ?? [])];
  return {
    start({ jobId, token, processedOn }) {
      const controller = new AbortController();
      const age = processedOn === undefined ? 0 : Math.max(0, Date.now() - processedOn);
      const deadline = startDeadline({ lockMs, sentAt: performance.now() - age, name: `${queue} job ${jobId}` });
      const end = (): void => controller.abort(deadline.signal.reason);
      if (deadline.signal.aborted) end();
      else deadline.signal.addEventListener("abort", end, { once: true });
      const run: Run = { signal: controller.signal, deadline, token, abort: (reason) => controller.abort(reason) };
      const ofJob = runs.get(jobId) ?? new Set<Run>();
      runs.set(jobId, ofJob.add(run));
      return run;
    },
    end(jobId, run) {
      run.deadline.end();
      const ofJob = runs.get(jobId);
      ofJob?.delete(run);
      if (ofJob?.size === 0) runs.delete(jobId);
    },
    confirm(jobId, token, sentAt) {
      for (const run of of(jobId)) if (run.token === token) run.deadline.confirm(sentAt);
    },
    abort: (jobId, reason) => of(jobId).forEach((run) => run.abort(reason)),
    abortAll: (reason) => [...runs.keys()].flatMap(of).forEach((run) => run.abort(reason)),
    count: () => runs.size,
    ids: () => [...runs.keys()],
  };
}
