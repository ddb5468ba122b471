import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { startWorkerProcess, type WorkerProcess } from "../cli/processes/worker.ts";
import { createProducer, type Producer } from "../producer/index.ts";
import { type RedisServer, type Sandbox, type SandboxOptions, startRedis, startSandbox } from "../sandbox/index.ts";
import { childEnv } from "./child-env.ts";

/** A Redis of its own that survives being killed, the sandbox, and workers in processes of their own. */
export type Stack = AsyncDisposable & {
  readonly redis: RedisServer;
  readonly sandbox: Sandbox;
  /** Another store, which knows nothing of the first: the profile `elsewhere`. */
  readonly elsewhere: Sandbox;
  readonly producer: Producer;
  readonly prefix: string;
  /** Of the document store, for other processes. */
  readonly documents: string;
  startWorker(env?: Readonly<Record<string, string>>): Promise<WorkerProcess>;
};

export type StackOptions = {
  readonly sandbox?: SandboxOptions;
  /** Settings of all profiles: `default` and `other` reach the sandbox, `elsewhere` another one with the same settings. */
  readonly profile?: object;
  /** Of further profiles, each what it has beside those. */
  readonly profiles?: Readonly<Record<string, object>>;
  /** Whether Redis keeps all that it acknowledged when it is killed. Default true. */
  readonly appendonly?: boolean;
  readonly appendfsync?: "always" | "everysec";
  /** Of every worker. */
  readonly env?: Readonly<Record<string, string>>;
};

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "bucketline-stack-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const redis = await startRedis({
    appendonly: options.appendonly ?? true,
    appendfsync: options.appendfsync ?? "always",
  });
  stack.defer(() => redis.stop());
  const sandbox = await startSandbox(options.sandbox);
  stack.defer(() => sandbox.close());
  const theirs = { accessKeyId: "elsewhere", secretAccessKey: "elsewhere-secret" };
  const elsewhere = await startSandbox({ ...options.sandbox, credentials: [theirs] });
  stack.defer(() => elsewhere.close());
  const documents = pathToFileURL(join(folder, "documents")).href;
  const profiles = join(folder, "profiles.json");
  await writeFile(profiles, JSON.stringify({ profiles: profilesOf(options, { sandbox, elsewhere }) }));
  const prefix = `test-${randomUUID()}`;
  const producer = createProducer({ redis: redis.url, prefix, documents, redisTimeout: 60_000 });
  stack.defer(() => producer.close());
  const workers: WorkerProcess[] = [];
  stack.defer(async () => {
    await Promise.all(workers.map((worker) => worker.kill()));
  });
  return {
    redis,
    sandbox,
    elsewhere,
    producer,
    prefix,
    documents,
    async startWorker(env = {}) {
      const worker = await startWorkerProcess({
        ...childEnv(),
        REDIS_URL: redis.url,
        BUCKETLINE_PREFIX: prefix,
        BUCKETLINE_PROFILES: profiles,
        DOCUMENTS_URL: documents,
        S3_KEY: sandbox.credentials.accessKeyId,
        S3_SECRET: sandbox.credentials.secretAccessKey,
        ELSEWHERE_KEY: theirs.accessKeyId,
        ELSEWHERE_SECRET: theirs.secretAccessKey,
        ...options.env,
        ...env,
      });
      workers.push(worker);
      return worker;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** What workers know of the two stores. */
function profilesOf(options: StackOptions, { sandbox, elsewhere }: Pick<Stack, "sandbox" | "elsewhere">): object {
  const profileOf = (at: Sandbox, name: string) => ({
    provider: { type: "static", accessKeyId: { env: `${name}_KEY` }, secretAccessKey: { env: `${name}_SECRET` } },
    endpoint: at.endpoint,
    region: "us-east-1",
    conditionalDelete: true,
    conditionalCopy: true,
    conditionalWrite: true,
    ...options.profile,
  });
  const here = profileOf(sandbox, "S3");
  const there = profileOf(elsewhere, "ELSEWHERE");
  const more = Object.entries(options.profiles ?? {}).map(([name, settings]) => [name, { ...here, ...settings }]);
  return { default: here, other: here, elsewhere: there, ...Object.fromEntries(more) };
}
