import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort as anyFreePort } from "../../../cli/free-port.ts";

const run = promisify(execFile);

/** A real Redis in a process of its own, which can be killed, frozen and started again on its port and data. */
export type Server = {
  readonly port: number;
  /** Asks it through redis-cli, which knows no failover. */
  cli(...args: readonly (string | number)[]): Promise<string>;
  /** SIGKILL: what a crash does. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open, and nothing answers. */
  freeze(): void;
  thaw(): void;
  /** Again, after `kill`. */
  start(): Promise<void>;
  stop(): Promise<void>;
};

type Value = string | number;
/** A list is what one setting takes; a list of lists sets it again and again. */
export type Settings = Readonly<Record<string, Value | readonly Value[] | readonly (readonly Value[])[]>>;

/** Starts redis-server, or as a sentinel one that watches what the lines of its configuration say. */
export async function startServer(settings: Settings, sentinel?: readonly string[]): Promise<Server> {
  const port = await freePort();
  const dir = await mkdtemp(join(tmpdir(), "bucketline-faults-redis-"));
  const common = { port, bind: "127.0.0.1", dir, ...(sentinel ? {} : { save: "", "repl-diskless-sync-delay": 0 }) };
  const flags = Object.entries({ ...common, ...settings }).flatMap(([name, value]) => {
    const times = Array.isArray(value) && value.every((each) => Array.isArray(each)) ? value : [[value].flat()];
    return times.flatMap((values) => [`--${name}`, ...values.map(String)]);
  });
  const file = join(dir, "sentinel.conf");
  if (sentinel) await writeFile(file, `port ${port}\nbind 127.0.0.1\ndir ${dir}\n${sentinel.join("\n")}\n`);
  let child: ChildProcess | undefined;
  const abandon = () => child?.kill("SIGKILL");
  process.once("exit", abandon);
  const end = async (signal: NodeJS.Signals) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGCONT");
    child.kill(signal);
    await exited;
  };
  const server: Server = {
    port,
    cli: (...args) => ask(port, args),
    kill: () => end("SIGKILL"),
    freeze: () => void child?.kill("SIGSTOP"),
    thaw: () => void child?.kill("SIGCONT"),
    start: async () => {
      child = spawn("redis-server", sentinel ? [file, "--sentinel"] : flags, { stdio: "ignore" });
      await until(`the Redis on port ${port} answers`, async () => (await server.cli("PING")) === "PONG");
    },
    stop: async () => {
      await end("SIGKILL");
      process.off("exit", abandon);
      await rm(dir, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

/** Asks a server of this machine through redis-cli. */
export async function ask(port: number, args: readonly (string | number)[]): Promise<string> {
  const words = ["-h", "127.0.0.1", "-p", String(port), ...args.map(String)];
  return (await run("redis-cli", words, { timeout: 5000 })).stdout.trim();
}

/** Waits for a condition; what it throws counts as not yet. */
export async function until(what: string, holds: () => Promise<boolean>, ms = 30_000): Promise<void> {
  const deadline = performance.now() + ms;
  for (;;) {
    if (await holds().catch(() => false)) return;
    if (performance.now() > deadline) throw new Error(`not within ${ms / 1000} s: ${what}`);
    await sleep(100);
  }
}

/** Redis Cluster listens on another port, 10,000 above: both have to be ports. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await anyFreePort(0);
    if (port < 55_000) return port;
  }
}
