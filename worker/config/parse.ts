import { invalidEnvironment } from "../../model/invalid-environment.ts";
import { type ActivityName, activityNames } from "../../jobs/contracts.ts";
import { didYouMean } from "../../model/closest-name.ts";
import { type Variables, variables, type Work, WORK } from "./variables.ts";
import type { RedisLocation } from "../../redis/connection/client.ts";
import { REDIS_VARIABLES, redisUrlOf } from "../../redis/connection/url-from-environment.ts";
import type { LoadProfilesOptions } from "../../credentials/load-profiles.ts";

/** Jobs at once, where neither BUCKETLINE_CONCURRENCY nor an entry here says otherwise. */
const DEFAULT_CONCURRENCY = 32;
/** Downloads and uploads hold buffers; a chunk of a batch runs many copies by itself. */
const OTHER_CONCURRENCY: Partial<Record<Work, number>> = { "get-object": 16, "put-object": 8, batches: 4 };

/** All that a worker is told, checked. It holds secrets (the Redis URL, the environment): print {@link describeConfig} instead. */
export type WorkerConfig = {
  /** A URL, with its password. */
  readonly redis: string;
  readonly prefix: string;
  readonly activities: readonly ActivityName[];
  /** Whether it takes chunks of batches. */
  readonly batches: boolean;
  /** Jobs (chunks, for `batches`) at once, for each by itself. */
  readonly concurrency: Readonly<Record<Work, number>>;
  /** For `loadProfiles`. */
  readonly profiles: Omit<LoadProfilesOptions, "log">;
  readonly documentsUrl: string;
  /** How long one attempt may take. */
  readonly operationTimeoutMs: number;
  /** How long running jobs may go on after SIGTERM. */
  readonly shutdownTimeoutMs: number;
  /** Absent: no probes are served. Port 0 picks a free one. */
  readonly health: { readonly host: string; readonly port: number } | undefined;
  readonly logLevel: Variables["BUCKETLINE_LOG_LEVEL"];
  /** Start although Redis may drop keys when its memory is full: jobs may then be lost. */
  readonly allowEviction: boolean;
  /** Replicas of Redis that must have the proof of a copy before its source is deleted. */
  readonly waitReplicas: number;
  /** Trace through OpenTelemetry; does nothing unless the process registers an SDK. */
  readonly telemetry: boolean;
  /** For `createS3`; sizes in bytes. */
  readonly s3: {
    readonly maxSockets: number;
    readonly connectTimeoutMs: number;
    readonly requestTimeoutMs: number;
    readonly copyTimeoutMs: number;
    readonly idleTimeoutMs: number;
    readonly fastPath: boolean;
    readonly uploadPartSize: number;
    readonly copyPartSize: number;
    readonly copyParts: number;
  };
  /** How long finished jobs are kept: ages in **seconds**, as BullMQ takes them; counts for each queue. */
  readonly retention: {
    readonly completed: { readonly age: number; readonly count: number };
    readonly failed: { readonly age: number; readonly count: number };
  };
};

/** What {@link createWorker} takes: ioredis options or an instance (also a `Cluster`) will do instead of a URL; its options are copied, and it stays yours. */
export type WorkerSettings = Omit<WorkerConfig, "redis"> & { readonly redis: RedisLocation };

/** Belongs to other executables that share an environment with a worker. */
const NOT_OURS = /^BUCKETLINE_(?:DASHBOARD|API)_/;
/** What Kubernetes sets in every pod for a service whose name starts with `bucketline`. */
const SERVICE_LINK = /^BUCKETLINE_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)$/;
const SERVICE_ADDRESS = /^(?:tcp|udp|sctp):\/\//;

/**
 * Reads a worker's configuration out of its environment. An empty variable counts as absent.
 *
 * @param env the environment, as in `process.env`.
 * @param options.cwd what relative paths start from, and where the default document store lies; default: the current directory.
 * @throws ActivityError `InvalidConfiguration` that lists every problem at once, each with its variable and what was expected.
 *
 * @example
 * import { parseWorkerConfig } from "bucketline/worker";
 *
 * const config = parseWorkerConfig({ REDIS_URL: "redis://127.0.0.1:6379", BUCKETLINE_ACTIVITIES: "all" });
 * console.log(config.activities);
 */
export function parseWorkerConfig(env: NodeJS.ProcessEnv, options: { readonly cwd?: string } = {}): WorkerConfig {
  const { values, problems } = readVariables(env, options);
  if (problems.length > 0) throw invalidEnvironment(problems);
  return configOf(values as Variables, env); // all are there where there is no problem
}

/** Every variable that could be read, each by itself, and what is wrong with the others. */
export function readVariables(env: NodeJS.ProcessEnv, { cwd = process.cwd() }: { readonly cwd?: string | undefined }) {
  const { shape } = variables(cwd);
  const names = Object.keys(shape);
  const problems: string[] = [];
  const redis = redisUrlOf(env, problems);
  problems.push(...unknownVariables(env, [...names, ...REDIS_VARIABLES]));
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(shape)) {
    const given = env[name]?.trim() === "" ? undefined : env[name];
    const parsed = schema.safeParse(name === "REDIS_URL" ? redis : given);
    if (parsed.success) values[name] = parsed.data;
    else problems.push(...parsed.error.issues.map(({ message }) => `${name}: ${message}`));
  }
  return { values: values as Partial<Variables>, problems }; // each is what its schema made of it
}

/** What `loadProfiles` takes. */
export function profilesOptions(values: Partial<Variables>, env: NodeJS.ProcessEnv): WorkerConfig["profiles"] {
  const keysFile = values.BUCKETLINE_SEAL_KEYS_FILE;
  return {
    file: values.BUCKETLINE_PROFILES,
    env,
    sealing: keysFile === undefined ? undefined : { keysFile },
    defaults: { region: values.BUCKETLINE_REGION, multipartThreshold: values.BUCKETLINE_MULTIPART_THRESHOLD },
  };
}

function configOf(values: Variables, env: NodeJS.ProcessEnv): WorkerConfig {
  const { BUCKETLINE_ACTIVITIES: work, BUCKETLINE_HEALTH_HOST: host, BUCKETLINE_HEALTH_PORT: port } = values;
  return {
    redis: values.REDIS_URL.trim(),
    prefix: values.BUCKETLINE_PREFIX,
    activities: activityNames.filter((name) => work.includes(name)),
    batches: work.includes("batches"),
    concurrency: concurrencyOf(values.BUCKETLINE_CONCURRENCY),
    profiles: profilesOptions(values, env),
    documentsUrl: values.DOCUMENTS_URL,
    operationTimeoutMs: values.BUCKETLINE_OPERATION_TIMEOUT,
    shutdownTimeoutMs: values.BUCKETLINE_SHUTDOWN_TIMEOUT,
    health: port === undefined ? undefined : { host, port },
    logLevel: values.BUCKETLINE_LOG_LEVEL,
    allowEviction: values.BUCKETLINE_ALLOW_EVICTION,
    waitReplicas: values.BUCKETLINE_REDIS_WAIT_REPLICAS,
    telemetry: values.BUCKETLINE_TELEMETRY,
    s3: {
      maxSockets: values.BUCKETLINE_MAX_SOCKETS,
      connectTimeoutMs: values.BUCKETLINE_CONNECT_TIMEOUT,
      requestTimeoutMs: values.BUCKETLINE_REQUEST_TIMEOUT,
      copyTimeoutMs: values.BUCKETLINE_COPY_TIMEOUT,
      idleTimeoutMs: values.BUCKETLINE_IDLE_TIMEOUT,
      fastPath: values.BUCKETLINE_FAST_PATH,
      uploadPartSize: values.BUCKETLINE_UPLOAD_PART_SIZE,
      copyPartSize: values.BUCKETLINE_COPY_PART_SIZE,
      copyParts: values.BUCKETLINE_COPY_PARTS,
    },
    retention: {
      completed: {
        age: Math.round(values.BUCKETLINE_KEEP_COMPLETED / 1000),
        count: values.BUCKETLINE_KEEP_COMPLETED_COUNT,
      },
      failed: { age: Math.round(values.BUCKETLINE_KEEP_FAILED / 1000), count: values.BUCKETLINE_KEEP_FAILED_COUNT },
    },
  };
}

/** A bare number is for the activities; chunks of batches, which are heavier by far, change only by their name. */
function concurrencyOf({ all, each }: Variables["BUCKETLINE_CONCURRENCY"]): WorkerConfig["concurrency"] {
  const of = (work: Work): number => {
    const forAll = work === "batches" ? undefined : all;
    return each[work] ?? forAll ?? OTHER_CONCURRENCY[work] ?? DEFAULT_CONCURRENCY;
  };
  // WORK holds every name of Work once.
  return Object.fromEntries(WORK.map((work) => [work, of(work)])) as Record<Work, number>;
}

/** A misspelt name would else be a setting that silently does not hold: a policy, for one. */
function unknownVariables(env: NodeJS.ProcessEnv, known: readonly string[]): readonly string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith("BUCKETLINE_") && !known.includes(name))
    .filter((name) => !NOT_OURS.test(name) && !SERVICE_LINK.test(name) && !SERVICE_ADDRESS.test(env[name] ?? ""))
    .map((name) => `${name}: no variable of this name is known${didYouMean(name, known)}`);
}
