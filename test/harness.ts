import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { pino } from "pino";
import { test as base } from "vitest";
import { type ActivityInput, type ActivityName, type ActivityResult } from "../jobs/contracts.ts";
import { createProducer, type Producer } from "../producer/index.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../sandbox/index.ts";
import { parseWorkerConfig, type WorkerConfig } from "../worker/config/parse.ts";
import { createWorker } from "../worker/create.ts";
import type { BucketlineWorker } from "../worker/interface.ts";
import { redisUrl, uniquePrefix } from "./fixtures.ts";

export type HarnessOptions = {
  readonly sandbox?: SandboxOptions;
  /** Settings of profiles beside `default`, which reaches the sandbox. */
  readonly profiles?: Readonly<Record<string, object>>;
  /** Settings of the profile `default`. */
  readonly profile?: object;
  readonly sealed?: object;
  readonly config?: Partial<WorkerConfig>;
  readonly env?: Readonly<Record<string, string>>;
  readonly redis?: string;
  readonly prefix?: string;
};

/** One app, one worker, one S3 server, through a real Redis. */
export type Harness = {
  readonly sandbox: Sandbox;
  readonly producer: Producer;
  readonly worker: BucketlineWorker;
  readonly prefix: string;
  readonly folder: string;
  readonly config: WorkerConfig;
  run<Name extends ActivityName>(name: Name, input: ActivityInput<Name>): Promise<ActivityResult<Name>>;
  close(): Promise<void>;
};

export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const sandbox = await startSandbox(options.sandbox);
  const folder = await mkdtemp(join(tmpdir(), "bucketline-test-"));
  const prefix = options.prefix ?? uniquePrefix();
  const redis = options.redis ?? redisUrl();
  const documents = pathToFileURL(join(folder, "documents")).href;
  const config = await configure(options, { sandbox, folder, prefix, redis, documents });
  const worker = await createWorker(config, { log: pino({ level: process.env["TEST_LOG"] ?? "silent" }) });
  const producer = createProducer({ redis, prefix, documents });
  return {
    sandbox,
    producer,
    worker,
    prefix,
    folder,
    config,
    run: (name, input) => producer.run(name, input, { timeout: 15_000, attempts: 3 }),
    async close() {
      await producer.close();
      await worker.close();
      await sandbox.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type Place = { sandbox: Sandbox; folder: string; prefix: string; redis: string; documents: string };

async function configure(options: HarnessOptions, { sandbox, folder, prefix, redis, documents }: Place) {
  const profile = {
    provider: { type: "static", accessKeyId: { env: "S3_KEY" }, secretAccessKey: { env: "S3_SECRET" } },
    region: "us-east-1",
    endpoint: sandbox.endpoint,
    conditionalDelete: true,
    conditionalCopy: true,
    conditionalWrite: true,
    checksums: "when-supported",
    ...options.profile,
  };
  const profiles = { default: profile } as Record<string, object>;
  for (const [name, settings] of Object.entries(options.profiles ?? {})) profiles[name] = { ...profile, ...settings };
  const file = join(folder, "profiles.json");
  await writeFile(file, JSON.stringify({ profiles, ...(options.sealed && { sealed: options.sealed }) }));
  const parsed = parseWorkerConfig({
    REDIS_URL: redis,
    BUCKETLINE_PREFIX: prefix,
    BUCKETLINE_PROFILES: file,
    DOCUMENTS_URL: documents,
    S3_KEY: sandbox.credentials.accessKeyId,
    S3_SECRET: sandbox.credentials.secretAccessKey,
    // What a test leaves at work need not be waited for.
    BUCKETLINE_SHUTDOWN_TIMEOUT: "1s",
    ...options.env,
  });
  return { ...parsed, ...options.config };
}

/** `test` with a harness of its own for each file: `sandbox` and `run` are what most tests need. */
export const test = base.extend<{ harness: Harness; sandbox: Sandbox; run: Harness["run"] }>({
  harness: [
    // oxlint-disable-next-line no-empty-pattern -- vitest reads the names of fixtures from the pattern
    async ({}, use) => {
      const harness = await startHarness();
      await use(harness);
      await harness.close();
    },
    { scope: "file" },
  ],
  sandbox: async ({ harness }, use) => {
    await use(harness.sandbox);
    harness.sandbox.clearFaults();
  },
  run: async ({ harness }, use) => use(harness.run),
});
