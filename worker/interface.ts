import type { Logger } from "pino";
import type { AttemptEvent } from "./attempt/process-job.ts";

/**
 * What a process that runs a worker hears of it.
 *
 * @example
 * import { createWorker, parseWorkerConfig, type WorkerOptions } from "bucketline/worker";
 *
 * const options: WorkerOptions = { onAttempt: ({ activity, outcome }) => console.log(activity, outcome) };
 * const worker = await createWorker(parseWorkerConfig(process.env), options);
 * await worker.close();
 */
export type WorkerOptions = {
  /** Default: pino to standard output at the configured level. */
  readonly log?: Logger;
  readonly onAttempt?: (event: AttemptEvent) => void;
  /** The process is the worker's alone, so its `Date.now()` may be set right where the clock is not that of Redis. Default false. */
  readonly ownProcess?: boolean;
  /** Ends a start that still waits for Redis; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
};

/** A running worker. */
export type BucketlineWorker = {
  readonly id: string;
  /** The port of the probes, where they are served. */
  readonly healthPort?: number;
  /**
   * Stops taking jobs, lets running ones end until the shutdown timeout, hands the rest back to their queues.
   *
   * @example
   * import { createWorker, parseWorkerConfig } from "bucketline/worker";
   *
   * const worker = await createWorker(parseWorkerConfig(process.env));
   * await worker.close();
   */
  close(): Promise<void>;
};
