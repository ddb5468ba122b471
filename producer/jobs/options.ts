import type { JobsOptions } from "bullmq";
import { z } from "zod";
import { BACKOFF, DEFAULT_ATTEMPTS, RETENTION } from "../../jobs/queues.ts";

/** Above it BullMQ refuses a priority. */
const MAX_PRIORITY = 2_097_151;

/** A year: longer is more likely seconds and milliseconds mixed up than meant. */
const MAX_DELAY_MS = 366 * 24 * 3_600_000;

const jobFields = {
  /** 0 to 2,097,151; 0 (the default) goes first, then 1, and so on. */
  priority: z.int().min(0).max(MAX_PRIORITY).optional(),
  /** How often the job is tried in all, 1 to 1,000. Default 5; throttling by the store does not count. */
  attempts: z.int().min(1).max(1000).optional(),
  /** The pause before another attempt, its `delay` in milliseconds. Default: exponential with full jitter, 1 s to 60 s. */
  backoff: z
    .strictObject({ type: z.enum(["fixed", "exponential"]), delay: z.int().min(0).max(MAX_DELAY_MS) })
    .optional(),
};

/** How jobs of a schedule run. */
export const TemplateOptions = z.strictObject(jobFields);
/**
 * How jobs of a schedule run.
 *
 * @example
 * const options: import("bucketline").TemplateOptions = { attempts: 3, priority: 10 };
 * await producer.schedule("hourly", { every: 3_600_000 }, "list-buckets", {}, options);
 */
export type TemplateOptions = z.input<typeof TemplateOptions>;

/** How each of many jobs is run. */
export const BulkOptions = z.strictObject({
  ...jobFields,
  /** Milliseconds before the job may start, up to a year. Default 0. */
  delay: z.int().min(0).max(MAX_DELAY_MS).optional(),
});

/** Of schedules: each run begins a trace of its own, instead of carrying on the one in which the schedule was made, for ever. */
export const OWN_TRACE = { omitContext: true } as const;

/** 1 to 256 characters. */
export const IdempotencyKey = z.string().min(1).max(256);

/** How a job is run. */
export const EnqueueOptions = z.strictObject({
  ...BulkOptions.shape,
  /**
   * 1 to 256 characters. The same key with the same input is the same job, for 7 days, also after the job was cleaned up; with another input
   * it is `IdempotencyConflict`. Keys of different activities are unrelated.
   */
  idempotencyKey: IdempotencyKey.optional(),
});
/**
 * How a job is run.
 *
 * @example
 * const options: import("bucketline").EnqueueOptions = {
 *   idempotencyKey: "order-7",
 *   attempts: 10,
 *   backoff: { type: "exponential", delay: 5000 },
 *   delay: 60_000,
 *   priority: 1,
 * };
 * await producer.enqueue("head-bucket", { bucket: "inbox" }, options);
 */
export type EnqueueOptions = z.input<typeof EnqueueOptions>;

/**
 * BullMQ's options for a job; those that were not chosen have Bucketline's defaults. Retention cannot be chosen: where a job ends, BullMQ applies
 * that job's ages to all jobs of its queue, so one job with a short retention would remove the results of all others.
 */
export function bullOptions(options: z.output<typeof BulkOptions>): JobsOptions {
  return {
    attempts: options.attempts ?? DEFAULT_ATTEMPTS,
    backoff: options.backoff ?? { ...BACKOFF },
    removeOnComplete: { ...RETENTION.completed },
    removeOnFail: { ...RETENTION.failed },
    ...(options.delay !== undefined && { delay: options.delay }),
    ...(options.priority !== undefined && { priority: options.priority }),
  };
}
