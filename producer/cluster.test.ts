import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cluster, Redis } from "ioredis";
import { expect, onTestFinished, test, vi } from "vitest";
import { freePort } from "../cli/free-port.ts";
import { findProgram } from "../sandbox/redis-engine.ts";
import { createProducer } from "./create.ts";

/** A cluster of one node: Redis refuses commands over several slots there as in a big one. */
async function startCluster(): Promise<Cluster> {
  const dir = await mkdtemp(join(tmpdir(), "bucketline-cluster-"));
  const port = await freePort(0);
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
  const child = spawn("redis-server", [...args, "--cluster-port", String(await freePort(0))], { stdio: "ignore" });
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

// Docker alone cannot announce an address that both it and this process reach.
test.skipIf(findProgram("redis-server", process.env["PATH"] ?? "") === undefined)(
  "works on Redis Cluster with a prefix in braces, and refuses one without",
  async () => {
    const cluster = await startCluster();
    expect(() => createProducer({ redis: cluster, prefix: "app" })).toThrow(/^InvalidInput: prefix: .*\{app\}/);

    const producer = createProducer({ redis: cluster, prefix: "{app}" });
    onTestFinished(() => producer.close());
    const inputs = ["a", "b", "c"].map((key) => ({ object: { bucket: "in-1", key } }));
    const options = { idempotencyKey: ({ object }: (typeof inputs)[number]) => object.key };
    const [first, second] = await producer.enqueueMany("delete-object", inputs, options);
    await producer.enqueueMany("delete-object", inputs, options);
    expect(await cluster.llen("{app}:delete-object:wait")).toBe(3);

    const waiting = Promise.allSettled([first?.result(), second?.result()]);
    expect(await first?.cancel()).toBe(true);
    const result = { success: true, bucket: "in-1", key: "b", deleteMarker: false };
    await cluster.hset(`{app}:delete-object:${second?.id}`, { finishedOn: 1, returnvalue: JSON.stringify(result) });
    const event = { event: "completed", jobId: second?.id ?? "", returnvalue: JSON.stringify(result) };
    await cluster.xadd("{app}:delete-object:events", "*", ...Object.entries(event).flat());
    expect(await waiting).toMatchObject([{ reason: { code: "Cancelled" } }, { value: result }]);
    await producer.schedule("hourly", { every: "1h" }, "head-bucket", { bucket: "in-1" });
    expect(await producer.schedules.list()).toHaveLength(1);
  },
);
