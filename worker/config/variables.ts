import { isAbsolute, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { DocumentsUrl } from "../../documents/location.ts";
import { activityNames } from "../../jobs/contracts.ts";
import { RedisPrefix } from "../../redis/prefix.ts";
import { RETENTION } from "../../jobs/queues.ts";
import { DEFAULT_PREFIX } from "../../redis/keys.ts";
import { RedisUrl } from "../../redis/connection/url.ts";
import { Region } from "../../model/region.ts";
import { duration, flag, integer, listOf, numbersFor, oneOf, size } from "./values.ts";

/** What a worker can be told to take on: activities, and the chunks of batches. */
export const WORK = [...activityNames, "batches"] as const;
export type Work = (typeof WORK)[number];

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

const Path = (cwd: string) => z.string().transform((path) => (isAbsolute(path) ? path : resolve(cwd, path)));

const SECOND = 1_000;

/** Every variable of a worker. Ages and times are in milliseconds here, whatever {@link WorkerConfig} makes of them. */
export function variables(cwd: string) {
  const documents = pathToFileURL(resolve(cwd, ".bucketline/documents")).href;
  return z.object({
    REDIS_URL: RedisUrl,
    DOCUMENTS_URL: DocumentsUrl.default(documents),
    BUCKETLINE_PREFIX: RedisPrefix.default(DEFAULT_PREFIX),
    BUCKETLINE_ACTIVITIES: listOf(WORK).default(WORK),
    BUCKETLINE_CONCURRENCY: numbersFor(WORK, { min: 1, max: 10_000 }).default({ each: {} }),
    BUCKETLINE_PROFILES: Path(cwd).optional(),
    BUCKETLINE_REGION: Region.optional(),
    BUCKETLINE_SEAL_KEYS_FILE: Path(cwd).optional(),
    BUCKETLINE_OPERATION_TIMEOUT: duration({ min: "1s" }).default(3600 * SECOND),
    BUCKETLINE_SHUTDOWN_TIMEOUT: duration({ min: "1s", max: "1h" }).default(25 * SECOND),
    BUCKETLINE_CONNECT_TIMEOUT: duration({ min: "100ms", max: "5m" }).default(5 * SECOND),
    BUCKETLINE_REQUEST_TIMEOUT: duration({ min: "1s", max: "1h" }).default(60 * SECOND),
    BUCKETLINE_COPY_TIMEOUT: duration({ min: "1s", max: "6h" }).default(300 * SECOND),
    BUCKETLINE_IDLE_TIMEOUT: duration({ min: "1s", max: "1h" }).default(30 * SECOND),
    BUCKETLINE_MAX_SOCKETS: integer({ min: 1, max: 10_000 }).default(256),
    BUCKETLINE_FAST_PATH: flag.default(true),
    BUCKETLINE_MULTIPART_THRESHOLD: size({ min: "5MiB", max: "5GiB" }).default(256 * 1024 ** 2),
    BUCKETLINE_UPLOAD_PART_SIZE: size({ min: "5MiB", max: "5GiB" }).default(5 * 1024 ** 2),
    BUCKETLINE_COPY_PART_SIZE: size({ min: "5MiB", max: "5GiB" }).default(128 * 1024 ** 2),
    BUCKETLINE_COPY_PARTS: integer({ min: 1, max: 1_000 }).default(8),
    BUCKETLINE_KEEP_COMPLETED: duration({ min: "1m", max: "366d" }).default(RETENTION.completed.age * SECOND),
    BUCKETLINE_KEEP_FAILED: duration({ min: "1m", max: "366d" }).default(RETENTION.failed.age * SECOND),
    BUCKETLINE_KEEP_COMPLETED_COUNT: integer({ min: 1, max: 10_000_000 }).default(RETENTION.completed.count),
    BUCKETLINE_KEEP_FAILED_COUNT: integer({ min: 1, max: 10_000_000 }).default(RETENTION.failed.count),
    BUCKETLINE_HEALTH_HOST: z.string().min(1).default("127.0.0.1"),
    BUCKETLINE_HEALTH_PORT: healthPort().optional(),
    BUCKETLINE_LOG_LEVEL: oneOf(LOG_LEVELS).default("info"),
    BUCKETLINE_ALLOW_EVICTION: flag.default(false),
    BUCKETLINE_REDIS_WAIT_REPLICAS: integer({ min: 0, max: 5 }).default(0),
    BUCKETLINE_TELEMETRY: flag.default(false),
  });
}
export type Variables = z.output<ReturnType<typeof variables>>;

function healthPort() {
  return z
    .string()
    .refine((text) => !/^(?:tcp|udp):\/\//.test(text), {
      // A service called bucketline-health makes Kubernetes set this very variable in every pod.
      error: "expected a port, got a Kubernetes service link; set enableServiceLinks: false in the pod",
      abort: true,
    })
    .pipe(integer({ min: 0, max: 65_535 }));
}
