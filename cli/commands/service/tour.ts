import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { styleText } from "node:util";
import { Command } from "commander";
import { createProducer } from "../../../producer/index.ts";
import { type RedisServer, startRedis, startSandbox } from "../../../sandbox/index.ts";
import { startDashboardProcess } from "../../processes/dashboard.ts";
import type { Environment } from "../../environment.ts";
import { freePort } from "../../free-port.ts";
import { stopSignal } from "../../stop-signal.ts";
import { runBatch } from "../../tour/batch.ts";
import { makeFolder } from "../../tour/folder.ts";
import { runSteps } from "../../tour/steps.ts";
import { startWorkerProcess } from "../../processes/worker.ts";

/** The tour's keys lie beside an app's own where both use one Redis. */
const PREFIX = "bucketline-tour";

/** `bucketline tour`, which is `npm start`: everything started, every activity once, then left up to try. */
export function tourCommand(environment: Environment): Command {
  return new Command("tour")
    .description("start Redis, an S3 server in memory and a worker, run every activity once, and stay up")
    .option("--once", "end after the tour")
    .addHelpText("after", "\nExamples:\n  1. bucketline tour\n  2. bucketline tour --once")
    .action(async ({ once: ends = false }: { once?: boolean }) =>
      tour(environment, ends || environment.env["CI"] === "true"),
    );
}

async function tour({ env, cwd, terminal }: Environment, ends: boolean): Promise<void> {
  using stop = stopSignal();
  const stopping = stop.signal;
  const startedAt = performance.now();
  await using stack = new AsyncDisposableStack();
  const redis = await startRedis({ url: env["REDIS_URL"], appendonly: true });
  stack.defer(() => redis.stop());
  const sandbox = await startSandbox();
  stack.defer(() => sandbox.close());
  const { folder, profiles } = await makeFolder(cwd, profilesFor(sandbox.endpoint));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const documents = pathToFileURL(join(folder, "documents")).href;
  const settings = {
    REDIS_URL: redis.url,
    BUCKETLINE_PREFIX: PREFIX,
    BUCKETLINE_PROFILES: profiles,
    DOCUMENTS_URL: documents,
    TOUR_ACCESS_KEY: sandbox.credentials.accessKeyId,
    TOUR_SECRET_KEY: sandbox.credentials.secretAccessKey,
  };
  // One chunk each at a time, so that the worker that is killed holds one.
  const workerEnv = { PATH: env["PATH"], HOME: env["HOME"], ...settings, BUCKETLINE_CONCURRENCY: "batches=1" };
  const [worker, victim] = await Promise.all([startWorkerProcess(workerEnv), startWorkerProcess(workerEnv)]);
  stack.defer(async () => {
    await Promise.all([worker.stop(), victim.kill()]);
  });
  // The usual port where it is free: an address that people can keep open.
  const dashboard = await startDashboardProcess({
    ...workerEnv,
    BUCKETLINE_DASHBOARD_PORT: String(await freePort(8420)),
  });
  stack.defer(() => dashboard.stop());
  const producer = createProducer({ redis: redis.url, prefix: PREFIX, documents });
  stack.defer(() => producer.close());

  const ms = Math.round(performance.now() - startedAt);
  introduce({ redis, endpoint: sandbox.endpoint, pids: [worker.pid, victim.pid], dashboard: dashboard.url, ms });
  const stepsOk = await runSteps({ producer, sandbox });
  const batchOk = await runBatch({ producer, sandbox, victim, terminal });
  if (!stepsOk || !batchOk) process.exitCode = 1;
  if (ends || stopping.aborted) return;
  console.log(howToTry(settings));
  await once(stopping, "abort");
  console.log("\nstopping");
}

function profilesFor(endpoint: string) {
  const provider = {
    type: "static",
    accessKeyId: { env: "TOUR_ACCESS_KEY" },
    secretAccessKey: { env: "TOUR_SECRET_KEY" },
  };
  const settings = {
    endpoint,
    region: "us-east-1",
    conditionalDelete: true,
    conditionalCopy: true,
    conditionalWrite: true,
  };
  return { profiles: { default: { provider, ...settings, checksums: "when-supported" } } };
}

type Introduced = {
  readonly redis: RedisServer;
  readonly endpoint: string;
  readonly pids: readonly number[];
  readonly dashboard: string;
  readonly ms: number;
};

function introduce({ redis, endpoint, pids, dashboard, ms }: Introduced): void {
  console.log(`${styleText("bold", "Bucketline")}: everything is up after ${(ms / 1000).toFixed(1)} s
  Redis      ${redis.url} (${redis.how})
  S3         ${endpoint} (in memory)
  workers    processes ${pids.join(" and ")}
  dashboard  ${styleText("underline", dashboard)}
`);
}

function howToTry(settings: Readonly<Record<string, string>>): string {
  const exports = Object.entries(settings).map(([name, value]) => `  export ${name}='${value}'`);
  return `
It stays up for you to try. In another terminal:
${exports.join("\n")}
  npx node examples/enqueue.ts

Ctrl-C ends it; what it holds is gone then.`;
}
