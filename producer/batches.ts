import { createHash, randomBytes } from "node:crypto";
import { type JobSchedulerJson, Queue, type Telemetry } from "bullmq";
import { z } from "zod";
import { type BatchHandle, createBatchHandle, type HandleContext } from "../batches/handle.ts";
import { BatchId } from "../batches/state/keys.ts";
import { BATCH_JOB_OPTIONS, type BatchQueue, createBatchQueue, fairPriority } from "../batches/state/queue.ts";
import { type BatchSpecInput, parseBatchSpec } from "../batches/spec/request.ts";
import { BATCH_STATES, type BatchState, type BatchStatus } from "../batches/state/status.ts";
import { type BatchStore, createBatchStore } from "../batches/state/store.ts";
import { createBatch } from "../batches/state/create.ts";
import { healBatch } from "../batches/state/heal.ts";
import { parseOptions } from "../jobs/parse-input.ts";
import { CHUNK_QUEUE } from "../jobs/queues.ts";
import { OWN_TRACE } from "./jobs/options.ts";
import { describeRepeat, repeatOf, type ScheduleRule } from "./schedule-rule.ts";
import { batchWords, recordedBatch } from "./audit/recorded-batches.ts";
import { type ActOptions, createRecorder, type Recorder } from "./audit/recorder.ts";
import type { Documents } from "./documents.ts";
import type { RedisClient } from "../redis/connection/client.ts";
import type { RedisConnection } from "../redis/connection/open.ts";

export type { BatchHandle, BatchSpecInput, BatchState, BatchStatus };

/**
 * How a batch is started.
 *
 * @example
 * const options: import("bucketline").StartBatchOptions = { idempotencyKey: "spring cleaning", reason: "ticket 12" };
 * await producer.batches.start({ operation: "delete", source: { bucket: "inbox" } }, options);
 */
export type StartOptions = {
  /** The same key finds the batch that was started with it, for as long as that is kept; with another request it is `IdempotencyConflict`. */
  readonly idempotencyKey?: string | undefined;
  /** Why, for the record of acts: one line of at most 500 characters. */
  readonly reason?: string | undefined;
};

/**
 * Which batches are listed.
 *
 * @example
 * const options: import("bucketline").ListBatchesOptions = { state: "running", limit: 10 };
 * for (const { id, listed } of (await producer.batches.list(options)).batches) console.log(id, listed);
 */
export type ListOptions = {
  readonly state?: BatchState | undefined;
  /** Default 50, at most 500. */
  readonly limit?: number | undefined;
  /** `next` of the page before. */
  readonly cursor?: string | undefined;
};

/** A page of batches, newest first. */
export type BatchPage = { readonly batches: readonly BatchStatus[]; readonly next?: string };

/** A batch that is started again and again. */
export type BatchSchedule = {
  readonly id: string;
  readonly every?: number;
  readonly cron?: string;
  readonly timezone?: string;
  readonly next: Date;
  readonly overlap: "skip" | "queue";
  readonly spec: BatchSpecInput;
};

/**
 * What becomes of runs that meet.
 *
 * @example
 * const options: import("bucketline").BatchScheduleOptions = { overlap: "queue" };
 * await producer.batches.schedule("weekly", { cron: "0 3 * * 1" }, { operation: "delete", source: { bucket: "tmp" } }, options);
 */
export type BatchScheduleOptions = {
  /** What becomes of a run that is due while the one before it still works: left out, or started after it. Default `skip`. */
  readonly overlap?: "skip" | "queue" | undefined;
};

/** Batches, as an app sees them. */
export type Batches = {
  /**
   * Checks the request and starts a batch. Throws `InvalidInput`, `BatchOverlap`, `IdempotencyConflict`, `RedisUnavailable`.
   *
   * @example
   * const batch = await producer.batches.start({
   *   operation: "move",
   *   source: { bucket: "inbox", prefix: "2026/" },
   *   destination: { bucket: "archive" },
   * });
   * const { succeeded, failed } = await batch.done();
   * console.log(succeeded, failed);
   */
  start(spec: BatchSpecInput, options?: StartOptions): Promise<BatchHandle>;
  /**
   * A handle to a batch. Redis is not asked.
   *
   * @example
   * console.log((await producer.batches.get("b12345678").status()).state);
   */
  get(id: string): BatchHandle;
  /**
   * Batches, newest first, a page at a time.
   *
   * @example
   * const { batches, next } = await producer.batches.list({ limit: 10 });
   * console.log(batches.length, next);
   */
  list(options?: ListOptions): Promise<BatchPage>;
  /**
   * Makes or replaces the schedule `id` of a batch.
   *
   * @example
   * await producer.batches.schedule("daily", { cron: "0 4 * * *" }, { operation: "delete", source: { bucket: "tmp" } });
   */
  schedule(
    id: string,
    rule: ScheduleRule,
    spec: BatchSpecInput,
    options?: BatchScheduleOptions,
  ): Promise<BatchSchedule>;
  readonly schedules: {
    /**
     * Every schedule of a batch.
     *
     * @example
     * for (const { id, next } of await producer.batches.schedules.list()) console.log(id, next);
     */
    list(): Promise<BatchSchedule[]>;
    /**
     * False where there was none. Batches that it started go on.
     *
     * @example
     * console.log(await producer.batches.schedules.remove("daily"));
     */
    remove(id: string, options?: ActOptions): Promise<boolean>;
  };
  /**
   * Ends its connection; batches go on. Closing the producer does it.
   *
   * @example
   * await producer.batches.close();
   */
  close(): Promise<void>;
};

const IdempotencyKey = z.string().min(1).max(1024);
const ScheduleId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, {
  error: "expected an id: 1 to 128 letters, digits, dots, hyphens or underscores",
});
const Page = z.strictObject({
  state: z.enum(BATCH_STATES).optional(),
  limit: z.int().min(1).max(500).default(50),
  cursor: z
    .string()
    .regex(/^\d+\.[a-z0-9]+$/, { error: "expected `next` of a page" })
    .optional(),
});

/** Ids sort by their time, for people who read lists of keys. */
function newBatchId(): string {
  return `b${Date.now().toString(36)}${randomBytes(8).toString("hex")}`;
}

type BatchesOptions = {
  readonly redis: RedisConnection;
  readonly prefix: string;
  readonly documents: Pick<Documents, "find" | "read" | "write">;
  readonly tracing?: (() => Promise<Telemetry>) | undefined;
  readonly record?: Recorder;
};

type Opened = { readonly queue: Queue; readonly store: BatchStore; readonly jobs: BatchQueue };

export function createBatches(options: BatchesOptions): Batches {
  const { redis, documents, record = createRecorder(undefined, false) } = options;
  let opened: Promise<Opened> | undefined;
  const opening = (client: RedisClient) => (opened ??= open(client, options));
  const withQueue: WithQueue = (what, operation) =>
    redis.run(what, async (client) => operation((await opening(client)).queue));
  const context: HandleContext = {
    documents,
    run: (what, operation) =>
      redis.run(what, async (client) => {
        const { store, jobs } = await opening(client);
        return await operation({ store, queue: jobs });
      }),
    start: (spec, { retryOf }) => startBatch(spec, { id: newBatchId(), retryOf }),
  };
  const handleOf = (id: string): BatchHandle => recordedBatch(createBatchHandle(context, id), record);
  const startBatch = async (spec: BatchSpecInput, { reason, ...as }: Starting): Promise<BatchHandle> => {
    await start(context, spec, as);
    await record({
      action: "batch.start",
      target: { kind: "batch", id: as.id },
      detail: batchWords(spec),
      reason,
    });
    return handleOf(as.id);
  };
  return {
    start: async (spec, { idempotencyKey, reason } = {}) =>
      await startBatch(spec, { id: idOf(idempotencyKey), reason }),
    get: (id) => handleOf(parseOptions("batch id", BatchId, id)),
    list: (page = {}) => list(context, parseOptions("list of batches", Page, page)),
    async schedule(id, rule, spec, { overlap = "skip" } = {}) {
      const made = await schedule(withQueue, { id, rule, spec, overlap });
      await record({ action: "schedule.put", target: { kind: "schedule", id: made.id }, detail: batchWords(spec) });
      return made;
    },
    schedules: {
      list: () =>
        withQueue("list schedules of batches", async (queue) => (await queue.getJobSchedulers()).map(described)),
      remove: async (id, { reason } = {}) => {
        const removed = await withQueue(`remove schedule ${id}`, (queue) =>
          queue.removeJobScheduler(parseOptions("schedule id", ScheduleId, id)),
        );
        if (removed) await record({ action: "schedule.remove", target: { kind: "schedule", id }, reason });
        return removed;
      },
    },
    async close() {
      await (await opened)?.queue.close();
      opened = undefined;
    },
  };
}

type WithQueue = <Result>(what: string, operation: (queue: Queue) => Promise<Result>) => Promise<Result>;

async function open(client: RedisClient, { prefix, tracing }: BatchesOptions): Promise<Opened> {
  const telemetry = await tracing?.();
  const queue = new Queue(CHUNK_QUEUE, { connection: client, prefix, ...(telemetry && { telemetry }) });
  // The calls that suffer from it reject; without a listener the process would end.
  queue.on("error", () => {});
  return { queue, store: createBatchStore(client, prefix), jobs: createBatchQueue(queue) };
}

/** The same key is the same batch. */
function idOf(idempotencyKey: string | undefined): string {
  if (idempotencyKey === undefined) return newBatchId();
  const key = parseOptions("idempotencyKey", IdempotencyKey, idempotencyKey);
  return `k${createHash("sha256").update(key).digest("hex").slice(0, 23)}`;
}

type Starting = { readonly id: string; readonly retryOf?: string; readonly reason?: string | undefined };

async function start(context: HandleContext, input: BatchSpecInput, { id, retryOf }: Starting): Promise<void> {
  const spec = parseBatchSpec(input);
  await context.run(`start batch ${id}`, async ({ store, queue }) => {
    await createBatch(store, { id, spec, ...(retryOf !== undefined && { retryOf }) });
    await healBatch(store, queue, id);
  });
}

async function list(context: HandleContext, { state, limit, cursor }: z.output<typeof Page>): Promise<BatchPage> {
  return await context.run("list batches", async ({ store }) => {
    const batches: BatchStatus[] = [];
    let [before = "+inf", after] = cursor?.split(".") ?? [];
    for (;;) {
      const page = await store.page(before, limit + 50);
      const fresh = after === undefined ? page : page.slice(page.findIndex(({ id }) => id === after) + 1);
      for (const { id, createdAt } of fresh) {
        before = createdAt;
        after = id;
        const status = await store.status(id);
        if (status !== undefined && (state === undefined || status.state === state)) batches.push(status);
        if (batches.length === limit) return { batches, next: `${createdAt}.${id}` };
      }
      if (page.length < limit + 50 || fresh.length === 0) return { batches };
    }
  });
}

type Planned = {
  readonly id: string;
  readonly rule: ScheduleRule;
  readonly spec: BatchSpecInput;
} & Required<BatchScheduleOptions>;

async function schedule(withQueue: WithQueue, { id, rule, spec, overlap }: Planned): Promise<BatchSchedule> {
  const name = parseOptions("schedule id", ScheduleId, id);
  const repeat = repeatOf(name, rule);
  // Checked now, so that a bad request is the scheduler's error and not that of every run.
  parseBatchSpec(spec);
  const data = { kind: "due", schedule: name, spec, overlap };
  const opts = { ...BATCH_JOB_OPTIONS, priority: fairPriority(1, true), telemetry: OWN_TRACE };
  return await withQueue(`schedule batch ${name}`, async (queue) => {
    await queue.upsertJobScheduler(name, repeat, { name: "due", data, opts });
    const stored = await queue.getJobScheduler(name);
    return described(stored ?? { key: name, name: "due", ...repeat, template: { data } });
  });
}

function described(stored: JobSchedulerJson): BatchSchedule {
  const { spec, overlap } = (stored.template?.data ?? {}) as Pick<BatchSchedule, "spec" | "overlap">; // written by schedule()
  return { id: stored.key, ...describeRepeat(stored), next: new Date(stored.next ?? 0), overlap, spec };
}
