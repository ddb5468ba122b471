import { Redis } from "ioredis";
import { onTestFinished, vi } from "vitest";
import { startRedis } from "../sandbox/index.ts";

/** A master and its replica, both real; gone after the test. */
export async function startReplicated() {
  const choices = ["redis-server", "valkey-server"] as const;
  const [master, replica] = [await startRedis({ choices }), await startRedis({ choices })];
  await configure(master.url, "repl-diskless-sync-delay", "0"); // it would wait 5 s for more replicas
  const admin = new Redis(replica.url);
  onTestFinished(async () => {
    admin.disconnect();
    signal(replica.pid, "SIGCONT");
    await Promise.all([master.stop(), replica.stop()]);
  });
  await admin.replicaof("127.0.0.1", Number(new URL(master.url).port));
  await vi.waitFor(async () => {
    if (!(await admin.info("replication")).includes("master_link_status:up")) throw new Error("not in step yet");
  }, 30_000);
  return {
    master,
    replica,
    /** The replica keeps its connection and says nothing, as one does whose machine hangs. */
    freeze: () => signal(replica.pid, "SIGSTOP"),
    thaw: () => signal(replica.pid, "SIGCONT"),
  };
}

async function configure(url: string, name: string, value: string): Promise<void> {
  const redis = new Redis(url);
  await redis.config("SET", name, value);
  redis.disconnect();
}

function signal(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid !== undefined) process.kill(pid, name);
}
