import type { ActivityError } from "../model/activity-error.ts";

/** The runs of one queue's jobs in this process, so that a lost lock or a shutdown can end them. */
export type Running = {
  /** A controller for one run of a job; give it back when the run ends. A job may run twice at once where its lock was lost. */
  start(jobId: string): AbortController;
  end(jobId: string, controller: AbortController): void;
  abort(jobId: string, reason: ActivityError): void;
  abortAll(reason: ActivityError): void;
  count(): number;
};

export function createRunning(): Running {
  const runs = new Map<string, Set<AbortController>>();
  return {
    start(jobId) {
      const controller = new AbortController();
      const set = runs.get(jobId) ?? new Set();
      runs.set(jobId, set.add(controller));
      return controller;
    },
    end(jobId, controller) {
      const set = runs.get(jobId);
      set?.delete(controller);
      if (set?.size === 0) runs.delete(jobId);
    },
    abort: (jobId, reason) => runs.get(jobId)?.forEach((controller) => controller.abort(reason)),
    abortAll: (reason) => runs.forEach((set) => set.forEach((controller) => controller.abort(reason))),
    count: () => runs.size,
  };
}
