import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Queue, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { createBatchQueue } from "../batches/state/queue.ts";
import { createChunkProcessor } from "../batches/chunk-processor.ts";
import type { ChunkDeps } from "../batches/run/work.ts";
import { startWatchdog } from "../batches/state/watchdog.ts";
import type { DocumentStore } from "../documents/interface.ts";
import { openDocumentStore } from "../documents/open.ts";
import { CHUNK_QUEUE } from "../jobs/queues.ts";
import { type Batches, createBatches } from "../producer/batches.ts";
import { openRedis } from "../redis/connection/open.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../sandbox/index.ts";
import type { Connection } from "../credentials/connection.ts";
import { createS3, type S3Options } from "../s3/create.ts";
import { openTestRedis, redisUrl, uniquePrefix } from "./fixtures.ts";
import { connectionTo } from "./open-s3.ts";

export type BatchHarnessOptions = {
  readonly sandbox?: SandboxOptions;
  /** Of the store named `default`. */
  readonly connection?: Partial<Connection>;
  /** Of stores named otherwise, on top. Default: as that of `default`, and at the same place. */
  readonly connections?: (sandbox: Sandbox) => Readonly<Record<string, Partial<Connection>>>;
  /** Of the stores' clients. */
  readonly s3?: S3Options;
  /** Workers from the start. Default 1. */
  readonly workers?: number;
  readonly redis?: string;
  readonly deps?: Partial<ChunkDeps>;
  readonly watchdogMs?: number;
  readonly prefix?: string;
};

export type BatchWorker = { readonly worker: Worker; close(): Promise<void> };

/** An app, workers of chunks, and an S3 server, through a real Redis. */
export type BatchHarness = {
  readonly sandbox: Sandbox;
  readonly redis: Redis;
  readonly queue: Queue;
  readonly prefix: string;
  readonly documents: DocumentStore;
  readonly batches: Batches;
  readonly deps: ChunkDeps;
  addWorker(options?: { concurrency?: number; deps?: Partial<ChunkDeps> }): BatchWorker;
  close(): Promise<void>;
};

export async function startBatchHarness(options: BatchHarnessOptions = {}): Promise<BatchHarness> {
  const sandbox = await startSandbox({ logSize: 50_000, ...options.sandbox });
  const prefix = options.prefix ?? uniquePrefix();
  const redis = openTestRedis(options.redis);
  redis.on("error", () => {});
  const folder = await mkdtemp(join(tmpdir(), "bucketline-batch-"));
  const documents = await openDocumentStore(pathToFileURL(folder).href);
  const stores = new Map<string, ReturnType<typeof createS3>>();
  const s3For: ChunkDeps["s3For"] = async (credentials = "default", _activity, _asked, onSent) => {
    const name = typeof credentials === "string" ? credentials : JSON.stringify(credentials);
    const s3 = stores.get(name) ?? createS3(connectionOf(sandbox, name, options), options.s3);
    stores.set(name, s3);
    return onSent === undefined ? s3 : s3.under({ onSent });
  };
  const queue = new Queue(CHUNK_QUEUE, { connection: redis, prefix });
  queue.on("error", () => {});
  const log = pino({ level: process.env["TEST_LOG"] ?? "silent" });
  const deps: ChunkDeps = {
    redis,
    prefix,
    queue: createBatchQueue(queue),
    s3For,
    allowed: async () => () => true,
    documents,
    log,
    ...options.deps,
  };
  const watchdog = startWatchdog({ redis, prefix, queue: deps.queue, log, interval: options.watchdogMs ?? 300 });
  const connected = openRedis(options.redis ?? redisUrl(), 10_000);
  const batches = createBatches({ redis: connected, prefix, documents });
  const workers = new Set<BatchWorker>();
  const harness: BatchHarness = {
    sandbox,
    redis,
    queue,
    prefix,
    documents,
    batches,
    deps,
    addWorker({ concurrency = 4, deps: own = {} } = {}) {
      const added = startWorker({ ...deps, ...own }, { concurrency, closed: () => workers.delete(added) });
      workers.add(added);
      return added;
    },
    async close() {
      await watchdog.close();
      await Promise.all([...workers].map((worker) => worker.close()));
      await batches.close();
      await connected.close();
      await queue.close();
      for (const s3 of stores.values()) await s3.close();
      await documents.close();
      redis.disconnect();
      await sandbox.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  for (let i = 0; i < (options.workers ?? 1); i++) harness.addWorker();
  return harness;
}

function connectionOf(sandbox: Sandbox, name: string, options: BatchHarnessOptions): Connection {
  return connectionTo(sandbox, { name, ...options.connection, ...options.connections?.(sandbox)[name] });
}

type Starting = { readonly concurrency: number; readonly closed: () => void };

function startWorker(deps: ChunkDeps, { concurrency, closed }: Starting): BatchWorker {
  const process = createChunkProcessor(deps);
  const stopping = new AbortController();
  const worker = new Worker(
    CHUNK_QUEUE,
    async (job, token, signal) =>
      process(job, token ?? "", AbortSignal.any([stopping.signal, ...(signal === undefined ? [] : [signal])])),
    {
      connection: deps.redis,
      prefix: deps.prefix,
      concurrency,
      lockDuration: 5000,
      stalledInterval: 500,
      maxStalledCount: 10,
      drainDelay: 1,
    },
  );
  worker.on("error", () => {});
  return {
    worker,
    async close() {
      closed();
      stopping.abort(new Error("the worker stops"));
      await worker.close();
      process.close();
    },
  };
}

/** Every row of a report. */
export async function all<Row>(rows: AsyncIterable<Row>): Promise<Row[]> {
  const list: Row[] = [];
  for await (const row of rows) list.push(row);
  return list;
}
