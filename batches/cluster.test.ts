import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Job, Queue } from "bullmq";
import { Cluster, Redis } from "ioredis";
import { pino } from "pino";
import { expect, onTestFinished, test, vi } from "vitest";
import { openDocumentStore } from "../documents/open.ts";
import { CHUNK_QUEUE } from "../jobs/queues.ts";
import { createBatches } from "../producer/batches.ts";
import { openRedis } from "../redis/connection/open.ts";
import { startSandbox } from "../sandbox/index.ts";
import { findProgram } from "../sandbox/redis-engine.ts";
import { createS3 } from "../s3/create.ts";
import { all } from "../test/batch-harness.ts";
import { createBatchQueue, wantedBatchJobs } from "./state/queue.ts";
import { createBatchStore } from "./state/store.ts";
import { createChunkProcessor } from "./run/processor.ts";

const PREFIX = "{app}";

// Docker alone cannot announce an address that both it and this process reach.
test.skipIf(findProgram("redis-server", process.env["PATH"] ?? "") === undefined)(
  "a batch runs on Redis Cluster with a prefix in braces: every script names all its keys, in one slot",
  async () => {
    const cluster = await startCluster();
    const sandbox = await startSandbox();
    const folder = await mkdtemp(join(tmpdir(), "bucketline-cluster-"));
    const documents = await openDocumentStore(pathToFileURL(folder).href);
    const s3 = createS3({
      name: "default",
      credentials: () => Promise.resolve(sandbox.credentials),
      region: sandbox.region,
      endpoint: sandbox.endpoint,
      pathStyle: true,
      checksums: "when-supported",
      conditionalDelete: true,
      conditionalCopy: true,
      multipartThreshold: 256 * 1024 ** 2,
    });
    const queue = new Queue(CHUNK_QUEUE, { connection: cluster, prefix: PREFIX });
    const connected = openRedis(cluster, 10_000);
    const batches = createBatches({ redis: connected, prefix: PREFIX, documents });
    const processor = createChunkProcessor({
      redis: cluster,
      prefix: PREFIX,
      queue: createBatchQueue(queue),
      s3For: async () => s3,
      allowed: async () => () => true,
      documents,
      log: pino({ level: "silent" }),
    });
    onTestFinished(async () => {
      processor.close();
      await batches.close();
      await connected.close();
      await queue.close();
      await s3.close();
      await documents.close();
      await sandbox.close();
      await rm(folder, { recursive: true, force: true });
    });
    for (const name of ["in-1", "out-1"]) sandbox.createBucket(name);
    for (let i = 0; i < 1100; i++) sandbox.put("in-1", `k${i}`, `${i}`);

    const batch = await batches.start({
      operation: "move",
      source: { bucket: "in-1" },
      destination: { bucket: "out-1" },
      maxObjectsPerSecond: 100_000,
      dryRun: true,
    });
    const store = createBatchStore(cluster, PREFIX);
    const drive = async (): Promise<void> => {
      for (;;) {
        const wanted = await store.wanted(batch.id);
        const jobs = wanted === undefined ? [] : wantedBatchJobs(batch.id, wanted);
        if (jobs.length === 0) return;
        for (const { id, data } of jobs) await processor({ id, data } as Job, "token", new AbortController().signal); // nothing here makes it wait
      }
    };
    await drive();
    expect(await batch.status()).toMatchObject({ state: "planned", plan: { objects: 1100 } });
    await batch.confirm();
    await batch.pause();
    await batch.setPriority(7);
    await batch.resume();
    await drive();
    expect(await batch.status()).toMatchObject({ state: "completed", succeeded: 1100, priority: 7 });
    expect(await all(batch.report())).toHaveLength(1100);
    expect((await batches.list()).batches.map(({ id }) => id)).toEqual([batch.id]);
    expect(await batch.recentFailures()).toEqual([]);
    expect(await batch.cancel()).toBe("completed");
  },
);

/** A cluster of one node: Redis refuses commands over several slots there as in a big one. */
async function startCluster(): Promise<Cluster> {
  const dir = await mkdtemp(join(tmpdir(), "bucketline-cluster-"));
  const port = await freePort();
  const settings = {
    port,
    bind: "127.0.0.1",
    save: "",
    "cluster-enabled": "yes",
    "cluster-announce-ip": "127.0.0.1",
    dir,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  // A cluster's bus listens 10,000 above; ports can be higher than that allows.
  const child = spawn("redis-server", [...args, "--cluster-port", String(await freePort())], { stdio: "ignore" });
  const node = new Redis(port, "127.0.0.1");
  node.on("error", () => {}); // until it is up
  onTestFinished(async () => {
    node.disconnect();
    child.kill("SIGTERM");
    if (child.exitCode === null) await once(child, "exit");
    await rm(dir, { recursive: true, force: true });
  });
  await node.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  await vi.waitFor(async () => expect(await node.cluster("INFO")).toContain("cluster_state:ok"), 10_000);
  const cluster = new Cluster([{ host: "127.0.0.1", port }]);
  onTestFinished(() => cluster.disconnect());
  return cluster;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // it listens on TCP
  server.close();
  await once(server, "close");
  return port;
}
