import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { pino } from "pino";
import { onTestFinished as afterThisTest } from "vitest";
import type { RedisLocation } from "../../redis/connection/client.ts";
import { type Sandbox, startSandbox } from "../../sandbox/index.ts";
import { parseWorkerConfig } from "../../worker/config/parse.ts";
import { createWorker } from "../../worker/create.ts";
import type { BucketlineWorker } from "../../worker/interface.ts";
import { freePort } from "../faults/redis/server.ts";
import { uniquePrefix } from "../fixtures.ts";

export type ObservedWorker = {
  readonly sandbox: Sandbox;
  readonly prefix: string;
  readonly documents: string;
  /** Rejects where the start does. One that waits for Redis goes on waiting until the test is over. */
  readonly started: Promise<BucketlineWorker>;
  /** What it logged, a line each. */
  readonly lines: readonly string[];
  /** The status of a probe. */
  probe(path: "/readyz" | "/livez"): Promise<number>;
};

type Options = {
  readonly redis: RedisLocation;
  readonly prefix?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Of a test that runs beside others. Default: of the one that runs. */
  readonly onTestFinished?: typeof afterThisTest;
};

/** A worker of which it is not said that it starts: its log and its probes can be looked at from the beginning. Gone after the test. */
export async function observeWorker(options: Options): Promise<ObservedWorker> {
  const { redis, prefix = uniquePrefix(), env = {}, onTestFinished = afterThisTest } = options;
  const sandbox = await startSandbox();
  const folder = await mkdtemp(join(tmpdir(), "bucketline-observed-"));
  const documents = pathToFileURL(join(folder, "documents")).href;
  const port = await freePort();
  const lines: string[] = [];
  const parsed = parseWorkerConfig({
    REDIS_URL: typeof redis === "string" ? redis : "redis://127.0.0.1",
    BUCKETLINE_PREFIX: prefix,
    BUCKETLINE_HEALTH_PORT: String(port),
    DOCUMENTS_URL: documents,
    AWS_ENDPOINT_URL_S3: sandbox.endpoint,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: sandbox.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: sandbox.credentials.secretAccessKey,
    ...env,
  });
  const ending = new AbortController();
  const started = createWorker(
    { ...parsed, redis },
    { log: pino({ level: "info" }, { write: (line) => void lines.push(line) }), signal: ending.signal },
  );
  started.catch(() => undefined); // whoever expects it to start waits for it
  onTestFinished(async () => {
    ending.abort(new Error("the test is over"));
    await started.then(
      (worker) => worker.close(),
      () => undefined,
    );
    await sandbox.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    sandbox,
    prefix,
    documents,
    started,
    lines,
    probe: async (path) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
      await answer?.body?.cancel();
      return answer?.status ?? 0;
    },
  };
}
