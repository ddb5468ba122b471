import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { expect, onTestFinished, test, vi } from "vitest";
import { findProgram } from "../sandbox/redis-engine.ts";
import { all } from "./batch-harness.ts";
import { freePort, startServer } from "./faults/redis/server.ts";
import { startHarness } from "./harness.ts";

const hasRedis = findProgram("redis-server", process.env["PATH"] ?? "") !== undefined;

type Trouble = {
  readonly name: string;
  /** @param dir where the server keeps its files */
  begin(admin: Redis, dir: string): Promise<unknown>;
  end(admin: Redis): Promise<unknown>;
};

const set = (admin: Redis, name: string, value: string | number) => admin.config("SET", name, String(value));

/** What Redis says while it is full, busy or without those that it needs. A batch is in work all the while. */
const TROUBLES: readonly Trouble[] = [
  {
    name: "OOM command not allowed",
    begin: (admin) => set(admin, "maxmemory", 1),
    end: (admin) => set(admin, "maxmemory", 0),
  },
  {
    name: "NOREPLICAS",
    begin: (admin) => set(admin, "min-replicas-to-write", 1),
    end: (admin) => set(admin, "min-replicas-to-write", 0),
  },
  {
    name: "MISCONF: it cannot write its snapshots",
    begin: async (admin, dir) => {
      await mkdir(join(dir, "dump.rdb", "in the way"), { recursive: true });
      await set(admin, "save", "3600 1");
      await admin.bgsave().catch(() => undefined); // it fails, which is what is wanted
    },
    end: (admin) => set(admin, "save", ""),
  },
  {
    name: "BUSY running a script",
    begin: async (admin) => {
      await set(admin, "busy-reply-threshold", 50);
      const other = admin.duplicate();
      other.on("error", () => undefined); // it is killed with its script
      void other.eval("while true do end", 0).catch(() => other.disconnect());
    },
    end: (admin) => admin.script("KILL"),
  },
  {
    name: "MASTERDOWN, as a replica that has lost its master",
    begin: async (admin) => {
      await set(admin, "replica-serve-stale-data", "no");
      await admin.replicaof("127.0.0.1", 1);
    },
    end: (admin) => admin.replicaof("NO", "ONE"),
  },
  {
    name: "max number of clients reached",
    begin: async (admin) => {
      await set(admin, "maxclients", 1);
      await admin.call("CLIENT", "KILL", "SKIPME", "yes");
    },
    end: (admin) => set(admin, "maxclients", 1000),
  },
];

// Docker alone gives no server whose settings can be taken away like this.
test.skipIf(!hasRedis)(
  "a worker waits while Redis is full, busy or alone, says that it is not ready, and goes on; nothing is lost or counted twice",
  async () => {
    const dir = await mkdtemp(join(tmpdir(), "bucketline-troubled-"));
    const server = await startServer({ dir });
    const admin = new Redis(server.port, "127.0.0.1", { enableReadyCheck: false });
    admin.on("error", () => undefined); // of a server that is troubled on purpose
    const health = await freePort();
    const harness = await startHarness({
      redis: `redis://127.0.0.1:${server.port}`,
      env: { BUCKETLINE_HEALTH_PORT: String(health) },
    });
    onTestFinished(async () => {
      await harness.close();
      admin.disconnect();
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    });
    const ready = async () => (await fetch(`http://127.0.0.1:${health}/readyz`)).status;
    const { sandbox, producer } = harness;
    for (const bucket of ["in", "out"]) sandbox.createBucket(bucket);
    const keys = Array.from({ length: 400 }, (_, n) => `k${String(n).padStart(3, "0")}`);
    for (const key of keys) sandbox.put("in", key, key);
    const batch = await producer.batches.start({
      operation: "move",
      source: { bucket: "in" },
      destination: { bucket: "out" },
      maxObjectsPerSecond: 30,
    });
    for (const { name, begin, end } of TROUBLES) {
      await vi.waitFor(async () => expect([name, await ready()]).toEqual([name, 200]), 30_000);
      expect([name, (await batch.status()).state]).toEqual([name, "running"]);
      await admin.script("FLUSH"); // as a master that takes over knows no script either
      await begin(admin, dir);
      await vi.waitFor(async () => expect([name, await ready()]).toEqual([name, 503]), 30_000);
      await end(admin);
    }
    await vi.waitFor(async () => expect(await ready()).toBe(200), 30_000);
    await producer.run("head-bucket", { bucket: "in" }, { timeout: 30_000 });
    expect(await batch.done()).toMatchObject({ state: "completed", listed: 400, succeeded: 400, failed: 0 });
    expect(sandbox.keys("in")).toEqual([]);
    expect(sandbox.keys("out")).toEqual(keys);
    const rows = await all(batch.report());
    expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
    expect(rows).toHaveLength(400);
  },
  240_000,
);

// As above.
test.skipIf(!hasRedis)(
  "a worker waits for a Redis that is still loading, and does not start without it",
  async () => {
    const server = await startServer({ appendonly: "yes", appendfsync: "always", "key-load-delay": 1000 });
    onTestFinished(() => server.stop());
    const url = `redis://127.0.0.1:${server.port}`;
    await server.cli("EVAL", "for n = 1, 1500 do redis.call('SET', 'k' .. n, 'x') end", 0);
    await server.kill();
    const restarted = server.start();
    const harness = await startHarness({ redis: url });
    onTestFinished(() => harness.close());
    await restarted;
    harness.sandbox.createBucket("in");
    expect(await harness.run("head-bucket", { bucket: "in" })).toMatchObject({ bucket: { name: "in" } });
  },
  120_000,
);
