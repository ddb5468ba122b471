import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { startWorkerProcess, type WorkerProcess } from "../cli/worker-process.ts";
import { createProducer, type Producer } from "../producer/index.ts";
import { type RedisServer, type Sandbox, type SandboxOptions, startRedis, startSandbox } from "../sandbox/index.ts";

/** A Redis of its own that survives being killed, the sandbox, and workers in processes of their own. */
export type Stack = AsyncDisposable & {
  readonly redis: RedisServer;
  readonly sandbox: Sandbox;
  readonly producer: Producer;
  readonly prefix: string;
  startWorker(env?: Readonly<Record<string, string>>): Promise<WorkerProcess>;
};

export type StackOptions = {
  readonly sandbox?: SandboxOptions;
  /** Settings of both profiles, `default` and `other`. */
  readonly profile?: object;
  readonly appendfsync?: "always" | "everysec";
  /** Of every worker. */
  readonly env?: Readonly<Record<string, string>>;
};

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "bucketline-stack-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const redis = await startRedis({ appendonly: true, appendfsync: options.appendfsync ?? "always" });
  stack.defer(() => redis.stop());
  const sandbox = await startSandbox(options.sandbox);
  stack.defer(() => sandbox.close());
  const documents = pathToFileURL(join(folder, "documents")).href;
  const profiles = join(folder, "profiles.json");
  const provider = { type: "static", accessKeyId: { env: "S3_KEY" }, secretAccessKey: { env: "S3_SECRET" } };
  const store = { endpoint: sandbox.endpoint, region: "us-east-1", conditionalDelete: true, conditionalCopy: true };
  const profile = { provider, ...store, ...options.profile };
  await writeFile(profiles, JSON.stringify({ profiles: { default: profile, other: profile } }));
  const prefix = `test-${randomUUID()}`;
  const producer = createProducer({ redis: redis.url, prefix, documents });
  stack.defer(() => producer.close());
  const workers: WorkerProcess[] = [];
  stack.defer(async () => {
    await Promise.all(workers.map((worker) => worker.kill()));
  });
  return {
    redis,
    sandbox,
    producer,
    prefix,
    async startWorker(env = {}) {
      const worker = await startWorkerProcess({
        REDIS_URL: redis.url,
        BUCKETLINE_PREFIX: prefix,
        BUCKETLINE_PROFILES: profiles,
        DOCUMENTS_URL: documents,
        S3_KEY: sandbox.credentials.accessKeyId,
        S3_SECRET: sandbox.credentials.secretAccessKey,
        ...options.env,
        ...env,
      });
      workers.push(worker);
      return worker;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
