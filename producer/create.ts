import { z } from "zod";
import type { ActivityInput, ActivityName, ActivityResult, Contract } from "../jobs/contracts.ts";
import { isOwnKey, type RedisKeys, redisKeys } from "../redis/keys.ts";
import { createRecorder, type Recorder } from "./audit/recorder.ts";
import { type Batches, createBatches } from "./batches.ts";
import { type Documents, lazyDocuments } from "./documents.ts";
import { addItems, type Enqueuing, makeItem, makeItems } from "./jobs/enqueue.ts";
import { createJobHandle, type JobHandle, WaitFields } from "./jobs/handle.ts";
import { BulkOptions, EnqueueOptions, IdempotencyKey, TemplateOptions } from "./jobs/options.ts";
import { createJobWaits, type JobWaits, type WaitOptions } from "./jobs/waits.ts";
import { contractOf, parseOptions } from "../jobs/parse-input.ts";
import { type ProducerOptions, ProducerSettings } from "./options.ts";
import { createQueuePool, type QueuePool } from "./queue-pool.ts";
import { openRedis, type RedisConnection } from "../redis/connection/open.ts";
import { probeWrite } from "../redis/health/write-watch.ts";
import { openTelemetry } from "./telemetry.ts";
import { createSchedules, putSchedule, type Schedule, type ScheduleRule, type Schedules } from "./schedules.ts";

/**
 * How each of many jobs is run.
 *
 * @example
 * const inputs = [{ object: { bucket: "inbox", key: "a.txt" } }, { object: { bucket: "inbox", key: "b.txt" } }];
 * await producer.enqueueMany("delete-object", inputs, { idempotencyKey: ({ object }) => `delete ${object.key}`, delay: 60_000 });
 */
export type EnqueueManyOptions<Name extends ActivityName> = Omit<EnqueueOptions, "idempotencyKey"> & {
  /** The idempotency key of each job; see {@link EnqueueOptions}. */
  readonly idempotencyKey?: ((input: ActivityInput<Name>, index: number) => string) | undefined;
};

/** Asks workers, through Redis, to do things with S3. Made by {@link createProducer}. */
export type Producer = {
  /**
   * Checks the input and adds a job. Throws `UnknownActivity`, `InvalidInput`, `IdempotencyConflict`, `RedisUnavailable` (the job may
   * have been added nevertheless: with an idempotency key it is safe to ask again) and `RedisRefused`.
   *
   * @example
   * const object = { bucket: "inbox", key: "a.txt" };
   * const job = await producer.enqueue("move-object", { object, destination: { bucket: "archive" } }, { idempotencyKey: "order-7" });
   * console.log((await job.result()).object.etag);
   */
  enqueue<Name extends ActivityName>(
    activity: Name,
    input: ActivityInput<Name>,
    options?: EnqueueOptions,
  ): Promise<JobHandle<Name>>;
  /**
   * Checks all inputs, then adds a job for each, a thousand at a time; the handles are in the inputs' order. Bad inputs reject
   * with one `InvalidInput` that names every bad index, and nothing is added.
   *
   * @example
   * const keys = ["a.txt", "b.txt"];
   * const jobs = await producer.enqueueMany("head-object", keys.map((key) => ({ object: { bucket: "inbox", key } })));
   * for (const job of jobs) console.log((await job.result()).object.size);
   */
  enqueueMany<Name extends ActivityName>(
    activity: Name,
    inputs: readonly ActivityInput<Name>[],
    options?: EnqueueManyOptions<Name>,
  ): Promise<JobHandle<Name>[]>;
  /**
   * Adds a job and waits for its result: {@link Producer.enqueue}, then {@link JobHandle.result}.
   *
   * @example
   * const { objects } = await producer.run("list-objects", { bucket: "inbox", prefix: "2026/" }, { timeout: 60_000 });
   * for (const { key, size } of objects) console.log(key, size);
   */
  run<Name extends ActivityName>(
    activity: Name,
    input: ActivityInput<Name>,
    options?: EnqueueOptions & WaitOptions,
  ): Promise<ActivityResult<Name>>;
  /**
   * A handle to a job that was enqueued before, here or elsewhere. Redis is not asked.
   *
   * @example
   * const job = producer.job("copy-object", "k-0f2b");
   * console.log(await job.state());
   */
  job<Name extends ActivityName>(activity: Name, id: string): JobHandle<Name>;
  /**
   * The content of objects.
   *
   * @example
   * const document = await producer.documents.write("hello", { name: "hello.txt", contentType: "text/plain" });
   * await producer.run("put-object", { object: { bucket: "inbox", key: "hello.txt" }, document });
   */
  readonly documents: Documents;
  /**
   * Makes or replaces the schedule `id`. Throws `InvalidInput` for a bad rule or input.
   *
   * @example
   * await producer.schedule("nightly", { cron: "0 3 * * *", timezone: "Europe/Berlin" }, "list-objects", { bucket: "inbox" });
   */
  schedule<Name extends ActivityName>(
    id: string,
    rule: ScheduleRule,
    activity: Name,
    input: ActivityInput<Name>,
    options?: TemplateOptions,
  ): Promise<Schedule>;
  /**
   * The schedules of single jobs.
   *
   * @example
   * for (const { id, next } of await producer.schedules.list()) console.log(id, next);
   * await producer.schedules.remove("nightly");
   */
  readonly schedules: Schedules;
  /**
   * Moves, copies and deletes of many objects.
   *
   * @example
   * const batch = await producer.batches.start({ operation: "delete", source: { bucket: "inbox", prefix: "tmp/" } });
   * console.log((await batch.done()).state);
   */
  readonly batches: Batches;
  /**
   * Asks Redis to take a write, as a readiness probe does, and resolves with the milliseconds that it took. Rejects with `RedisUnavailable`
   * after `timeout` milliseconds (default: `redisTimeout`), with `RedisRefused` where Redis lets nobody in.
   *
   * @example
   * console.log(`Redis took ${await producer.ping({ timeout: 1000 })} ms`);
   */
  ping(options?: { readonly timeout?: number | undefined }): Promise<number>;
  /**
   * Ends waits with `ProducerClosed`, lets calls under way finish, and closes what the producer opened. Jobs go on.
   *
   * @example
   * await producer.close();
   */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

// Checked before anything is sent; what else they hold is checked as that of `enqueue`.
const RunOptions = z.looseObject(WaitFields);
const PingOptions = z.strictObject({ timeout: z.int().min(1).max(3_600_000).optional() });
const ManyOptions = z.looseObject({
  idempotencyKey: z
    .custom<(input: unknown, index: number) => string>((value) => typeof value === "function", {
      error: "expected a function of the input and its index",
    })
    .optional(),
});

const JobId = z
  .string()
  .min(1)
  .max(512)
  .refine((id) => !isOwnKey(id), { error: "expected the id of a job, which is no name of BullMQ's own keys" });
const Inputs = z.array(z.unknown());

/**
 * Makes a producer. It connects when it is first used, and keeps the process alive from then until {@link Producer.close}.
 * It never loads the AWS SDK. Throws `InvalidInput` for bad options.
 *
 * @example
 * import { createProducer } from "bucketline";
 *
 * const producer = createProducer({ redis: "redis://127.0.0.1:6379" });
 * const { buckets } = await producer.run("list-buckets", {});
 * console.log(buckets.map(({ name }) => name));
 * await producer.close();
 */
export function createProducer(options: ProducerOptions): Producer {
  const { prefix, redisTimeout, telemetry, actor, ...locations } = parseOptions(
    "createProducer",
    ProducerSettings,
    options,
  );
  const redis = openRedis(locations.redis, redisTimeout, prefix);
  const keys = redisKeys(prefix);
  const tracing = telemetry ? once(openTelemetry) : undefined;
  const queues = createQueuePool(redis, prefix, tracing);
  const waits = createJobWaits({ redis, keys });
  const documents = lazyDocuments(locations.documents);
  const record = createRecorder({ redis, keys }, actor);
  const context = { redis, queues, keys, waits, documents: documents.access, record };
  const batches = createBatches({ redis, prefix, documents: documents.access, tracing, record });

  let closing: Promise<void> | undefined;

  const producer: Producer = {
    enqueue: async (activity, input, given = {}) => {
      const contract = contractOf(activity);
      return createJobHandle(context, contract, await addOne(context, { contract, input, given }));
    },
    enqueueMany: async (activity, inputs, given = {}) => {
      const contract = contractOf(activity);
      const { items, chosen } = itemsOf(contract, inputs, given);
      await addItems(context, activity, items, chosen);
      const [first] = items;
      if (record.jobs && first !== undefined)
        await record({
          action: "job.add",
          target: { kind: "job", id: first.jobId, activity },
          detail: `the first of ${items.length}`,
        });
      return items.map(({ jobId }) => createJobHandle(context, contract, jobId));
    },
    run: async (activity, input, chosen = {}) => {
      const { timeout, signal, ...given } = parseOptions(`options of ${activity}`, RunOptions, chosen);
      signal?.throwIfAborted();
      const [contract, patience] = [contractOf(activity), Math.max(redisTimeout, timeout ?? 0)];
      const id = await addOne(context, { contract, input, given, patience });
      return await createJobHandle<typeof activity>(context, contract, id).result({ timeout, signal });
    },
    job: (activity, id) => createJobHandle(context, contractOf(activity), parseOptions("job id", JobId, id)),
    documents: documents.access,
    schedule: async (id, rule, activity, input, given = {}) =>
      await putSchedule(context, { id, rule, activity, input }, given),
    schedules: createSchedules(context),
    batches,
    ping: async (given = {}) => await ping(context, given),
    close: () => (closing ??= close({ redis, queues, waits, batches, documents })),
    [Symbol.asyncDispose]: async () => await producer.close(),
  };
  return producer;
}

async function ping({ redis, keys }: { readonly redis: RedisConnection; readonly keys: RedisKeys }, given: object) {
  const { timeout } = parseOptions("ping", PingOptions, given);
  const started = performance.now();
  await redis.run("ping", (client) => probeWrite(client, keys.probe()), timeout);
  return Math.round((performance.now() - started) * 10) / 10;
}

type Parts = {
  readonly redis: RedisConnection;
  readonly queues: QueuePool;
  readonly waits: JobWaits;
  readonly batches: Batches;
  readonly documents: ReturnType<typeof lazyDocuments>;
};

async function close({ redis, queues, waits, batches, documents }: Parts): Promise<void> {
  const drained = redis.drain();
  await waits.close();
  await drained;
  await queues.close();
  await batches.close();
  await redis.close();
  await documents.close();
}

type Adding = {
  readonly contract: ReturnType<typeof contractOf>;
  readonly input: unknown;
  readonly given: EnqueueOptions;
  /** Milliseconds for Redis to answer; default: the producer's. */
  readonly patience?: number;
};

/** Adds a job; answers its id. */
async function addOne(context: Enqueuing & { readonly record: Recorder }, adding: Adding): Promise<string> {
  const { contract, input, given, patience } = adding;
  const { idempotencyKey, ...chosen } = parseOptions(`options of ${contract.name}`, EnqueueOptions, given);
  const item = makeItem(contract, input, idempotencyKey);
  const id = item.jobId;
  await addItems(context, contract.name, [item], { ...chosen, patience });
  const { record } = context;
  if (record.jobs) await record({ action: "job.add", target: { kind: "job", id, activity: contract.name } });
  return id;
}

/** The jobs of many inputs, each with the id that its key makes. */
function itemsOf<Name extends ActivityName>(
  contract: Contract,
  inputs: readonly ActivityInput<Name>[],
  given: EnqueueManyOptions<Name>,
) {
  const { idempotencyKey, ...rest } = parseOptions(`options of ${contract.name}`, ManyOptions, given);
  const chosen = parseOptions(`options of ${contract.name}`, BulkOptions, rest);
  parseOptions(`inputs of ${contract.name}`, Inputs, inputs);
  const keyOf = (input: unknown, index: number) =>
    idempotencyKey && parseOptions("idempotencyKey", IdempotencyKey, idempotencyKey(input, index));
  return { items: makeItems(contract, inputs, keyOf), chosen };
}

function once<Result>(open: () => Promise<Result>): () => Promise<Result> {
  let opening: Promise<Result> | undefined;
  return () => (opening ??= open());
}
