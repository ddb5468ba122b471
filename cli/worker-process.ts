import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A worker in a process of its own, as in production. */
export type WorkerProcess = {
  readonly pid: number;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>;
  /** SIGKILL: what a crash does. */
  kill(): Promise<void>;
  /** Resolves when it ended by itself, to the last lines that it printed. */
  readonly crashed: Promise<readonly string[]>;
};

/** Lines of a worker's log that are kept to say why it did not start. */
const KEPT_LINES = 20;

/** Starts `worker/main` and resolves once it takes jobs; rejects with its last words where it ends before. */
export async function startWorkerProcess(env: NodeJS.ProcessEnv): Promise<WorkerProcess> {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const main = new URL(`../worker/main.${extension}`, import.meta.url);
  const child = spawn(process.execPath, [main.pathname], { env, stdio: ["ignore", "pipe", "pipe"] });
  // A worker must not outlive the command that started it, however that ends.
  const abandon = () => child.kill("SIGKILL");
  process.once("exit", abandon);
  const exited = once(child, "exit").finally(() => process.off("exit", abandon));
  const lines: string[] = [];
  await ready(child, exited, lines);
  let asked = false;
  const end = async (signal: NodeJS.Signals) => {
    asked = true;
    child.kill(signal);
    await exited;
  };
  const crashed = new Promise<readonly string[]>((resolve) => {
    child.once("exit", () => asked || resolve(lines));
  });
  return { pid: child.pid ?? 0, stop: () => end("SIGTERM"), kill: () => end("SIGKILL"), crashed };
}

async function ready(child: ChildProcess, exited: Promise<unknown>, lines: string[]): Promise<void> {
  const taking = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        if (lines.length > KEPT_LINES) lines.shift();
        if (line.includes('"msg":"taking jobs"')) resolve();
      });
    }
  });
  const died = exited.then(() => {
    throw new Error(`the worker ended before it took jobs:\n${lines.join("\n")}`);
  });
  // Once it is ready its later end is nobody's error here.
  died.catch(() => undefined);
  await Promise.race([taking, died]);
}
