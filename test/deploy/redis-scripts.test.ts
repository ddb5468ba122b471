import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { findProgram } from "../../sandbox/redis-engine.ts";
import { freePort } from "../faults/redis/server.ts";
import { readYaml } from "./manifests.ts";

const deploy = join(import.meta.dirname, "../../deploy/redis");
const PASSWORD = "p@ss/word";
const programs = ["redis-server", "redis-cli"].map((name) => findProgram(name, process.env["PATH"] ?? ""));

const ConfigMap = z.looseObject({ kind: z.literal("ConfigMap"), data: z.record(z.string(), z.string()) });
const StatefulSet = z.looseObject({
  kind: z.literal("StatefulSet"),
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({ containers: z.array(z.looseObject({ command: z.array(z.string()) })) }),
    }),
  }),
});

function found<Output>(schema: z.ZodType<Output>, file: string): Output {
  for (const manifest of readYaml(join(deploy, file))) {
    const { data } = schema.safeParse(manifest);
    if (data !== undefined) return data;
  }
  throw new Error(`nothing of that kind in ${file}`);
}

/** Runs what a pod runs, with other words for what only a pod has: its volume, its ports and the names of its like. */
async function run(
  script: string,
  words: readonly (readonly [string, string])[],
  env: Readonly<Record<string, string>>,
) {
  const dir = await mkdtemp(join(tmpdir(), "bucketline-pod-"));
  let text = script.replaceAll("/data", dir);
  for (const [word, other] of words) text = text.replaceAll(word, () => other);
  const child = spawn("sh", ["-c", text], {
    env: { PATH: process.env["PATH"], PASSWORD, ...env },
    stdio: "ignore",
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await rm(dir, { recursive: true, force: true });
  });
}

function connect(port: number, password?: string): Redis {
  const client = new Redis(port, "127.0.0.1", { ...(password !== undefined && { password }) });
  client.on("error", () => {}); // until it listens
  onTestFinished(() => client.disconnect());
  return client;
}

const setting = async (client: Redis, name: string) => (await client.config("GET", name))[1];

// What Docker alone gives has no shell of ours around it.
test.skipIf(programs.includes(undefined))(
  "the scripts of the Sentinel manifests start a master, the replica that it demands, and a sentinel that watches them",
  async () => {
    const { data } = found(ConfigMap, "kubernetes.sentinel.yaml");
    const [master, replica, sentinel] = [await freePort(), await freePort(), await freePort()];
    const words = [
      ["redis-server --dir", "redis-server --port $PORT --bind 127.0.0.1 --repl-diskless-sync-delay 0 --dir"],
      ["$HOSTNAME.redis", "$HOST"],
      ["redis-0.redis", "127.0.0.1"],
      ["redis-$n.redis", "127.0.0.1"],
      ["redis-*", "127.*"],
      ["26379", String(sentinel)],
      ["6379", String(master)],
      ['-h "$master"', `-h "$master" -p ${master}`],
    ] as const;
    const script = (name: string) => data[name] ?? "";
    await run(script("redis.sh"), words, { HOST: "127.0.0.1", PORT: String(master) });
    await run(script("sentinel.sh"), words, { HOST: "127.0.0.1" });
    const [server, watcher] = [connect(master, PASSWORD), connect(sentinel)];
    const told = await vi.waitFor(() => watcher.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"), 20_000);
    expect(told).toEqual(["127.0.0.1", String(master)]);
    expect(await setting(server, "appendonly")).toBe("yes");
    expect(await setting(server, "maxmemory-policy")).toBe("noeviction");
    await expect(server.set("a", "1")).rejects.toThrow("NOREPLICAS");
    // Who is not the master that the sentinels tell follows it.
    await run(script("redis.sh"), words, { HOST: "localhost", PORT: String(replica) });
    await vi.waitFor(async () => expect(await server.set("a", "1")).toBe("OK"), 20_000);
    expect(await server.info("replication")).toMatch(/ip=localhost,port=\d+,state=online/);
  },
  60_000,
);

// As above.
test.skipIf(programs.includes(undefined))(
  "the command of the Cluster manifests starts a node that tells its name",
  async () => {
    const [port, bus] = [await freePort(), await freePort()];
    const { containers } = found(StatefulSet, "kubernetes.cluster.yaml").spec.template.spec;
    const words = [
      ["exec redis-server", `exec redis-server --port ${port} --bind 127.0.0.1 --cluster-port ${bus}`],
    ] as const;
    await run(containers[0]?.command.at(-1) ?? "", words, { HOSTNAME: "redis-0", POD_IP: "127.0.0.1" });
    const node = connect(port, PASSWORD);
    expect(await vi.waitFor(() => node.info("cluster"), 20_000)).toContain("cluster_enabled:1");
    expect(await node.call("CLUSTER", "NODES")).toContain(`127.0.0.1:${port}@${bus},redis-0.redis myself,master`);
    expect(await setting(node, "cluster-preferred-endpoint-type")).toBe("hostname");
    expect(await setting(node, "appendonly")).toBe("yes");
    expect(await setting(node, "maxmemory-policy")).toBe("noeviction");
  },
  60_000,
);
