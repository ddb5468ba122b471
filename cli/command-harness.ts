import { type ChildProcess, spawn } from "node:child_process";
import { Console } from "node:console";
import { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { childEnv } from "../test/child-env.ts";
import type { Harness } from "../test/harness.ts";
import { runProgram } from "./program.ts";

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

export type RunningCli = {
  readonly process: ChildProcess;
  /** What it printed so far. */
  readonly output: () => { readonly stdout: string; readonly stderr: string };
  readonly ended: Promise<Ended>;
};

const main = fileURLToPath(new URL("main.ts", import.meta.url));

/** Starts `bucketline` as a process of its own, with no environment but the one given: for signals, pipes, and how a process ends. */
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

let running = false;

/** Runs `bucketline` to its end in this process, whose streams, folder and exit code are the command's meanwhile: one at a time. */
export async function runCli(
  args: readonly string[],
  { env = {}, stdin = "", cwd = process.cwd() }: CliOptions = {},
): Promise<Ended> {
  if (running) throw new Error("another command runs in this process: expected one at a time");
  running = true;
  using stack = new DisposableStack();
  stack.defer(() => (running = false));
  const [stdout, stderr] = [collect(), collect()];
  const seen = { stdin: Readable.from([Buffer.from(stdin)]), stdout: stdout.stream, stderr: stderr.stream };
  for (const [name, stream] of Object.entries(seen)) replace(process, name, stream, stack);
  replace(globalThis, "console", new Console(seen), stack);
  const before = { folder: process.cwd(), code: process.exitCode };
  stack.defer(() => {
    process.chdir(before.folder);
    process.exitCode = before.code;
  });
  process.chdir(cwd);
  process.exitCode = 0;
  await runProgram(args, { env: { ...childEnv(), ...env }, cwd, terminal: false });
  return { code: process.exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

function replace(owner: object, name: string, value: unknown, stack: DisposableStack): void {
  const was = Object.getOwnPropertyDescriptor(owner, name);
  if (was === undefined) throw new Error(`expected ${name}, which is to be replaced`);
  Object.defineProperty(owner, name, { value, configurable: true, writable: true, enumerable: was.enumerable ?? true });
  stack.defer(() => void Object.defineProperty(owner, name, was));
}

function collect() {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
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
