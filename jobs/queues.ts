/** The queue of the chunks of batches; the activities' queues are named after them. */
export const CHUNK_QUEUE = "batch-chunk";

/** How long finished jobs can be asked for their result. Ages in seconds, counts in jobs per queue. */
export const RETENTION = {
  completed: { age: 24 * 3600, count: 100_000 },
  failed: { age: 7 * 24 * 3600, count: 100_000 },
} as const;

/** How often a job is tried in all; throttling by the store does not count. */
export const DEFAULT_ATTEMPTS = 5;

/** The backoff that the worker computes: exponential with jitter, 1 s to 60 s. */
export const BACKOFF = { type: "bucketline" } as const;

/** What that means, in milliseconds. */
export const BETWEEN_ATTEMPTS = { base: 1000, max: 60_000 } as const;

/** For how long an idempotency key is remembered, in seconds, also after its job was cleaned up. */
export const IDEMPOTENCY_TTL_S = 7 * 24 * 3600;

/** For how long a cancel is remembered, in seconds. */
export const CANCEL_TTL_S = 7 * 24 * 3600;

/** A job id for an idempotency key is this plus the first 32 hex digits of sha256(`<activity>\n<key>`). */
export const IDEMPOTENT_ID_PREFIX = "k-";
