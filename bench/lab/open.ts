import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Redis } from "ioredis";
import { createProducer, type Producer } from "../../producer/index.ts";
import { type SandboxControl, startRedis, startSandboxProcess } from "../../sandbox/index.ts";
import type { BenchContext } from "../benchmark.ts";
import type { SlowLine } from "./slow-line.ts";
import { startBenchWorker, type BenchWorker } from "./worker.ts";

/** How to reach the S3 server. */
export type StoreAddress = {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
};

export type WorkerOptions = {
  /** Activities, and `batches`; with their jobs (or chunks) at once. */
  readonly concurrency: Readonly<Record<string, number>>;
  /** Workers of one prefix share their queues. Default `bench`. */
  readonly prefix?: string;
};

/** All that one benchmark runs on: a Redis, an S3 server in a process of its own, and workers. Everything is bound to loopback. */
export type Lab = {
  readonly redis: string;
  readonly address: StoreAddress;
  readonly server: { readonly pid: number; readonly control: SandboxControl };
  readonly folder: string;
  readonly stack: AsyncDisposableStack;
  /** Present where they were asked for. */
  readonly lines?: Lines;
  worker(options: WorkerOptions): Promise<BenchWorker>;
  producer(prefix?: string): Producer;
  /** A connection of its own to Redis. */
  connect(): Redis;
};

export type LabOptions = {
  /** Milliseconds that the S3 server waits before every answer. */
  readonly latencyMs?: number;
  /** A Redis that is there already, by its URL. Default: one is started. */
  readonly redis?: string;
  /** Opens lines to this server and another store; workers reach them by the profiles `slow` and `other`. */
  readonly slowLines?: (server: { readonly endpoint: string; readonly region: string }) => Promise<Lines>;
};

type Lines = Readonly<Record<"slow" | "other", SlowLine>>;

const DEFAULT_PREFIX = "bench";
const REGION = "us-east-1";

/** Sets the stage; the benchmark's stack takes it down. Redis writes nothing to disk; the S3 server checks no signatures. */
export async function openLab(context: BenchContext, options: LabOptions = {}): Promise<Lab> {
  const { latencyMs = 0, slowLines } = options;
  const { stack, path } = context;
  const folder = await mkdtemp(join(tmpdir(), "bucketline-bench-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const redis = options.redis ?? (await ownRedis(stack, path));
  const server = await startSandboxProcess({ verifySignatures: false, logSize: 0, latencyMs, region: REGION });
  stack.defer(() => server.stop());
  const address = { endpoint: server.endpoint, region: REGION, credentials: server.credentials };
  const documents = pathToFileURL(join(folder, "documents")).href;
  const profiles = join(folder, "profiles.json");
  const lines = await slowLines?.(address);
  const endpoints = {
    default: server.endpoint,
    ...(lines && { slow: lines.slow.endpoint, other: lines.other.endpoint }),
  };
  await writeFile(profiles, JSON.stringify(profilesFor(endpoints)));
  const env = {
    REDIS_URL: redis,
    BUCKETLINE_PROFILES: profiles,
    DOCUMENTS_URL: documents,
    BENCH_KEY: server.credentials.accessKeyId,
    BENCH_SECRET: server.credentials.secretAccessKey,
  };
  return {
    redis,
    address,
    server,
    folder,
    stack,
    ...(lines !== undefined && { lines }),
    async worker({ concurrency, prefix = DEFAULT_PREFIX }) {
      const worker = await startBenchWorker({
        env: {
          ...env,
          BUCKETLINE_PREFIX: prefix,
          ...slotsOf(concurrency),
        },
        folder,
        context,
      });
      stack.defer(() => worker.stop());
      return worker;
    },
    connect() {
      const connection = new Redis(redis, { maxRetriesPerRequest: null });
      connection.on("error", (error) => context.say(`Redis: ${error.message}`));
      stack.defer(() => connection.disconnect());
      return connection;
    },
    producer(prefix = DEFAULT_PREFIX) {
      const producer = createProducer({ redis, prefix, documents });
      stack.defer(() => producer.close());
      return producer;
    },
  };
}

/** Which activities a worker takes, and how many jobs of each at once. */
function slotsOf(concurrency: Readonly<Record<string, number>>) {
  const slots = Object.entries(concurrency).map(([name, count]) => `${name}=${count}`);
  return { BUCKETLINE_ACTIVITIES: Object.keys(concurrency).join(","), BUCKETLINE_CONCURRENCY: slots.join(",") };
}

async function ownRedis(stack: AsyncDisposableStack, path: string): Promise<string> {
  const redis = await startRedis({ path });
  stack.defer(() => redis.stop());
  return redis.url;
}

function profilesFor(endpoints: Readonly<Record<string, string>>) {
  const provider = { type: "static", accessKeyId: { env: "BENCH_KEY" }, secretAccessKey: { env: "BENCH_SECRET" } };
  const enforced = {
    conditionalDelete: true,
    conditionalCopy: true,
    conditionalWrite: true,
    checksums: "when-supported",
  };
  const profiles = Object.entries(endpoints).map(([name, endpoint]) => [
    name,
    { provider, endpoint, region: REGION, ...enforced },
  ]);
  return { profiles: Object.fromEntries(profiles) as Record<string, object> }; // the entries above
}
