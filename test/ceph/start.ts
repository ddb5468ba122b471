import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../../cli/free-port.ts";
import { cephConfiguration } from "./configuration.ts";

/** Debian's packages of the programs that are started here. */
const PACKAGES = "radosgw ceph-mon ceph-osd ceph-common";
/** It takes one second on two idle cores, and some on busy ones. */
const START_DEADLINE_MS = 90_000;

export type Ceph = {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Where the daemons' logs are until {@link Ceph.stop}. */
  readonly directory: string;
  readonly stop: () => Promise<void>;
};

type Daemon = { readonly name: string; readonly start: () => ChildProcess; process: ChildProcess; restarts: number };

type Cluster = { readonly directory: string; readonly daemons: Daemon[]; readonly signal: AbortSignal };

/**
 * Starts Ceph's object gateway, an S3 server that we did not write: one monitor, one OSD that keeps its objects in memory,
 * and the gateway, on free loopback ports in a temporary directory.
 * Throws when a program is missing, a daemon dies or the gateway does not answer in time; nothing is left behind then.
 */
export async function startCeph({ signal }: { readonly signal?: AbortSignal } = {}): Promise<Ceph> {
  const deadline = AbortSignal.timeout(START_DEADLINE_MS);
  const directory = await mkdtemp(join(tmpdir(), "bucketline-ceph-"));
  const cluster = { directory, daemons: [], signal: signal ? AbortSignal.any([signal, deadline]) : deadline };
  try {
    const [monitor, gateway] = await Promise.all([freePort(0), freePort(0)]);
    const fsid = randomUUID();
    await writeFile(join(directory, "ceph.conf"), cephConfiguration({ directory, fsid, gateway }));
    await startMonitor(cluster, { fsid, port: monitor });
    await startObjectStore(cluster);
    startDaemon(cluster, "radosgw", ["--name", "client.rgw"]);
    const endpoint = `http://127.0.0.1:${gateway}`;
    // One after the other: both would make the same pools, and then one waits for the other's for seconds.
    await untilAnswers(cluster, endpoint);
    const keys = await createUser(cluster);
    return { endpoint, region: "us-east-1", ...keys, directory, stop: () => stopCluster(cluster) };
  } catch (cause) {
    const logs = await lastLines(directory);
    await stopCluster(cluster);
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Ceph did not start: ${message}${logs}`, { cause });
  }
}

async function startMonitor(cluster: Cluster, { fsid, port }: { fsid: string; port: number }): Promise<void> {
  const map = join(cluster.directory, "monmap");
  await run(cluster, "monmaptool", ["--create", "--fsid", fsid, "--addv", "a", `[v1:127.0.0.1:${port}]`, map]);
  await run(cluster, "ceph-mon", ["-i", "a", "--mkfs", "--monmap", map]);
  startDaemon(cluster, "ceph-mon", ["-i", "a"]);
}

async function startObjectStore(cluster: Cluster): Promise<void> {
  // The monitor knows an OSD by the uuid that its store was made with: both must be told the same one.
  const uuid = randomUUID();
  const id = (await run(cluster, "ceph", ["osd", "new", uuid])).trim();
  await mkdir(join(cluster.directory, `osd-${id}`));
  await run(cluster, "ceph-osd", ["-i", id, "--mkfs", "--osd-uuid", uuid]);
  // On a busy machine it asks the monitor for its place before the monitor knows it, is refused, and gives up.
  startDaemon(cluster, "ceph-osd", ["-i", id], { restarts: 10 });
}

async function createUser(cluster: Cluster) {
  const accessKeyId = randomBytes(10).toString("hex").toUpperCase();
  const secretAccessKey = randomBytes(20).toString("hex");
  const keys = [`--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`];
  await run(cluster, "radosgw-admin", ["user", "create", "--uid=tests", "--display-name=tests", ...keys]);
  return { accessKeyId, secretAccessKey };
}

async function untilAnswers({ daemons, signal }: Cluster, endpoint: string): Promise<void> {
  for (;;) {
    const answer = await fetch(endpoint, { signal }).catch(() => undefined); // refused until it listens
    await answer?.body?.cancel();
    if (answer?.ok) return;
    for (const daemon of daemons.filter((one) => hasEnded(one))) startAgain(daemon);
    await delay(50, undefined, { signal });
  }
}

function startDaemon(cluster: Cluster, name: string, args: readonly string[], { restarts = 0 } = {}): void {
  const start = () => {
    const child = spawn(name, ["-f", ...args, ...configured(cluster)], { stdio: "ignore" });
    child.once("error", () => {}); // not started: it counts as ended
    return child;
  };
  cluster.daemons.push({ name, start, process: start(), restarts });
}

function startAgain(daemon: Daemon): void {
  const { name, process: ended } = daemon;
  if (daemon.restarts === 0) throw new Error(`${name} ended with ${ended.signalCode ?? ended.exitCode}`);
  daemon.restarts -= 1;
  daemon.process = daemon.start();
}

/** Runs one of Ceph's programs to its end and returns what it printed. */
async function run(cluster: Cluster, command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, [...args, ...(command === "monmaptool" ? [] : configured(cluster))], {
    stdio: ["ignore", "pipe", "pipe"],
    signal: cluster.signal,
  });
  const ended = once(child, "close").catch((error: unknown) => {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw missing
      ? new Error(`${command} is missing; on Debian: apt-get install ${PACKAGES}`, { cause: error })
      : error;
  });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (child.exitCode !== 0) throw new Error(`${command} ended with ${child.exitCode}: ${errors.trim()}`);
  return output;
}

function configured({ directory }: Cluster): string[] {
  return ["-c", join(directory, "ceph.conf")];
}

/** At once, for nothing of it is kept: asked politely the gateway takes nine seconds. */
async function stopCluster({ daemons, directory }: Cluster): Promise<void> {
  const running = daemons.filter((daemon) => !hasEnded(daemon) && daemon.process.pid !== undefined);
  await Promise.all(
    running.map(async ({ process: daemon }) => {
      const ended = once(daemon, "exit");
      daemon.kill("SIGKILL");
      await ended;
    }),
  );
  await rm(directory, { recursive: true, force: true });
}

function hasEnded({ process: daemon }: Daemon): boolean {
  return daemon.exitCode !== null || daemon.signalCode !== null;
}

async function lastLines(directory: string): Promise<string> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".log"));
  const logs = await Promise.all(
    names.map(async (name) => {
      const lines = (await readFile(join(directory, name), "utf8")).trim().split("\n");
      return `\n--- ${name}\n${lines.slice(-5).join("\n")}`;
    }),
  );
  return logs.join("");
}
