import { z } from "zod";
import type { RedisLocation } from "../redis/connection/client.ts";
import { DEFAULT_PREFIX } from "../redis/keys.ts";
import { RedisPrefix } from "../redis/prefix.ts";
import { Actor } from "./audit/recorder.ts";
import { type DocumentsLocation, DocumentsSetting } from "./documents.ts";

/**
 * Where Redis and documents are, and for whom a producer acts.
 *
 * @example
 * import { createProducer, type ProducerOptions } from "bucketline";
 *
 * const options: ProducerOptions = { redis: "redis://127.0.0.1:6379", documents: "s3://documents/jobs", redisTimeout: 5000 };
 * await using producer = createProducer(options);
 */
export type ProducerOptions = {
  /** A URL such as `redis://127.0.0.1:6379`, ioredis options, or an ioredis instance, which `close()` leaves open. */
  readonly redis: RedisLocation;
  /** Before every key in Redis; the workers' own. Default `bucketline`. For Redis Cluster one in braces: `{bucketline}`. */
  readonly prefix?: string | undefined;
  /** Where documents are; the workers' own `DOCUMENTS_URL`, and the same default. Opened when first used. */
  readonly documents?: DocumentsLocation | undefined;
  /**
   * For how many milliseconds a Redis that does not answer is waited for before a call rejects with `RedisUnavailable`. Default 10,000. `run` and
   * `result` wait for it for as long as their own `timeout`, where that is longer.
   */
  readonly redisTimeout?: number | undefined;
  /**
   * Trace through OpenTelemetry: what is enqueued carries on the trace in which it was, and workers with `BUCKETLINE_TELEMETRY=true` go on with it
   * down to each request to the store. Does nothing unless the process registers an OpenTelemetry SDK. Default false.
   */
  readonly telemetry?: boolean | undefined;
  /**
   * For whom it acts, in the record of acts: a name of at most 128 characters. Cancels, schedules and batches are recorded in any case, under the
   * name of the machine where there is no other; jobs that are added only where a name is given. `false`: nothing is recorded.
   */
  readonly actor?:
    | string
    | false
    | { readonly name: string; readonly via?: "app" | "cli" | undefined; readonly reason?: string | undefined }
    | undefined;
};

const DEFAULT_REDIS_TIMEOUT_MS = 10_000;

const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);

/** As it is given to `createProducer`, with defaults filled in. */
export const ProducerSettings = z.strictObject({
  redis: z.custom<RedisLocation>((value) => typeof value === "string" || isObject(value), {
    error: "expected a URL such as redis://127.0.0.1:6379, ioredis options or an ioredis instance",
  }),
  prefix: RedisPrefix.default(DEFAULT_PREFIX),
  documents: DocumentsSetting.optional(),
  redisTimeout: z.int().min(1).max(3_600_000).default(DEFAULT_REDIS_TIMEOUT_MS),
  telemetry: z.boolean().default(false),
  actor: Actor.optional(),
});
