import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { Harness } from "../test/harness.ts";
import { childEnv } from "../test/child-env.ts";

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

export type RunningCli = {
  readonly process: ChildProcess;
  /** What it printed so far. */
  readonly output: () => { readonly stdout: string; readonly stderr: string };
  readonly ended: Promise<Ended>;
};

const main = fileURLToPath(new URL("main.ts", import.meta.url));

/** Starts `bucketline` as a process of its own, with no environment but the one given. */
export function startCli(args: readonly string[], { env = {}, stdin = "", cwd }: CliOptions = {}): RunningCli {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...childEnv(), ...env },
    ...(cwd !== undefined && { cwd }),
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  // A command that ends before it read its input breaks the pipe.
  child.stdin.on("error", () => undefined).end(stdin);
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { process: child, output: () => ({ stdout, stderr }), ended };
}

export type CliOptions = {
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string;
  readonly cwd?: string;
};

/** Runs `bucketline` to its end. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<Ended> {
  return startCli(args, options).ended;
}

/** The environment of an app beside the harness's worker. */
export function appEnv({ config, prefix }: Harness): NodeJS.ProcessEnv {
  return { REDIS_URL: config.redis, BUCKETLINE_PREFIX: prefix, DOCUMENTS_URL: config.documentsUrl };
}

/** The lines of JSON that a command printed. */
export function jsonLines(stdout: string): readonly Record<string, unknown>[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>); // every line of --json is an object
}
