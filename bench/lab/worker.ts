import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { BenchContext } from "../benchmark.ts";

/** A worker of ours in a process of its own, as in production. */
export type BenchWorker = {
  readonly pid: number;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>;
};

export type BenchWorkerOptions = {
  readonly env: Readonly<Record<string, string>>;
  /** Takes its log: at the default level, into a file, which is cheaper for all than a pipe that somebody reads. */
  readonly folder: string;
  readonly context: Pick<BenchContext, "profileFolder" | "built">;
};

const READY_WITHIN_MS = 30_000;

/** Starts a worker just as `npm run worker` does, with nothing but the given environment; resolves once it takes jobs. */
export async function startBenchWorker({ env, folder, context }: BenchWorkerOptions): Promise<BenchWorker> {
  const { profileFolder, built } = context;
  const root = new URL("../..", import.meta.url).pathname;
  const profiling = profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
  const log = join(folder, `worker-${randomUUID()}.log`);
  await using file = await open(log, "w");
  const child = spawn(process.execPath, [...profiling, ...(await workerArguments(root, built))], {
    cwd: root,
    env,
    stdio: ["ignore", file.fd, file.fd],
  });
  // It must not outlive this process, however that ends.
  const abandon = () => child.kill("SIGKILL");
  process.once("exit", abandon);
  const exited = once(child, "exit").finally(() => process.off("exit", abandon));
  for (const deadline = Date.now() + READY_WITHIN_MS; ;) {
    const text = await readFile(log, "utf8");
    if (text.includes('"msg":"taking jobs"')) break;
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`the worker did not take jobs within ${READY_WITHIN_MS / 1000} s:\n${text.slice(-2000)}`);
    }
    await delay(20);
  }
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** What follows `node` in the script `worker` of package.json: options of Node, and the program. */
async function workerArguments(root: string, built = false): Promise<string[]> {
  const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { scripts: { worker: string } }; // ours
  const program = built ? scripts.worker.replace("worker/main.ts", "dist/worker/main.js") : scripts.worker;
  return program.split(" ").slice(1);
}
