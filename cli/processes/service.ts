import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** An executable of ours in a process of its own, as in production. */
export type ServiceProcess = {
  readonly pid: number;
  /** The line of its log by which it said that it is ready. */
  readonly readyLine: string;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>;
  /** SIGKILL: what a crash does. */
  kill(): Promise<void>;
  /** Resolves when it ended by itself, to the last lines that it printed. */
  readonly crashed: Promise<readonly string[]>;
};

/** Lines of a log that are kept to say why a process did not start. */
const KEPT_LINES = 20;

/** Starts `<service>/main` and resolves once its log holds `ready`; rejects with its last words where it ends before. */
export async function startServiceProcess(
  service: "worker" | "dashboard",
  ready: string,
  env: NodeJS.ProcessEnv,
): Promise<ServiceProcess> {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const main = fileURLToPath(new URL(`../../${service}/main.${extension}`, import.meta.url));
  const child = spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "pipe"] });
  // It must not outlive the command that started it, however that ends.
  const abandon = () => child.kill("SIGKILL");
  process.once("exit", abandon);
  const exited = once(child, "exit").finally(() => process.off("exit", abandon));
  const lines: string[] = [];
  const readyLine = await lineWith(ready, { child, exited, lines, service });
  let asked = false;
  const end = async (signal: NodeJS.Signals) => {
    asked = true;
    child.kill(signal);
    await exited;
  };
  const crashed = new Promise<readonly string[]>((resolve) => {
    child.once("exit", () => asked || resolve(lines));
  });
  return { pid: child.pid ?? 0, readyLine, stop: () => end("SIGTERM"), kill: () => end("SIGKILL"), crashed };
}

type Started = {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
  readonly lines: string[];
  readonly service: string;
};

async function lineWith(text: string, { child, exited, lines, service }: Started): Promise<string> {
  const found = new Promise<string>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        if (lines.length > KEPT_LINES) lines.shift();
        if (line.includes(text)) resolve(line);
      });
    }
  });
  const died = exited.then((): never => {
    throw new Error(`the ${service} ended before it was ready:\n${lines.join("\n")}`);
  });
  // Once it is ready its later end is nobody's error here.
  died.catch(() => undefined);
  return await Promise.race([found, died]);
}
