import { execFile, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A way to run a Redis server that can be killed and started again on the same port and data. */
export type RedisEngine = {
  /** Resolves when the process (or container) was started; it may not answer yet. */
  start(): Promise<{ pid: number | undefined }>;
  /** SIGTERM, then waits for the end. */
  stop(): Promise<void>;
  /** SIGKILL, then waits for the end. */
  kill(): Promise<void>;
  /** Frees what is left, at once and without waiting: for the end of this process. */
  abandon(): void;
  /** Why the server ended, where it did. */
  failure(): string | undefined;
};

/** The path of a program, looked up as a shell would. */
export function findProgram(name: string, path: string): string | undefined {
  for (const folder of path.split(delimiter)) {
    const candidate = join(folder, name);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not in this folder: go on with the next.
    }
  }
  return undefined;
}

/** Runs redis-server or valkey-server as a child that does not outlive this process. */
export function programEngine(program: string, args: readonly string[]): RedisEngine {
  let child: ChildProcess | undefined;
  let watchdog: ChildProcess | undefined;
  let output = "";
  const end = async (signal: NodeJS.Signals) => {
    watchdog?.kill("SIGKILL");
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    // While its end is waited for it must keep this process alive, or the wait would never be over.
    child.ref();
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  };
  return {
    start: async () => {
      output = "";
      // A group of its own: Ctrl+C must not end Redis before the workers that still use it.
      child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
      for (const stream of [child.stdout, child.stderr]) {
        stream?.on("data", (chunk: Buffer) => {
          output = (output + chunk.toString("utf8")).slice(-2000);
        });
      }
      await once(child, "spawn");
      unreference(child);
      watchdog = watch(`kill -9 ${child.pid}`);
      return { pid: child.pid };
    },
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
    abandon: () => {
      child?.kill("SIGKILL");
      watchdog?.kill("SIGKILL");
    },
    failure: () =>
      child !== undefined && (child.exitCode !== null || child.signalCode !== null) ? output.trim() : undefined,
  };
}

/** Runs Redis in a container. The container stays while it is killed and started again; stop removes it. */
export function dockerEngine(
  docker: string,
  options: { image: string; port: number; args: readonly string[] },
): RedisEngine {
  const name = `bucketline-redis-${process.pid}-${options.port}`;
  let watchdog: ChildProcess | undefined;
  let created = false;
  return {
    start: async () => {
      if (created) {
        await run(docker, ["start", name]);
      } else {
        await run(docker, [
          "run",
          "-d",
          "--name",
          name,
          "-p",
          `127.0.0.1:${options.port}:6379`,
          options.image,
          "redis-server",
          ...options.args,
        ]);
        created = true;
        watchdog = watch(`'${docker}' rm -f ${name}`);
      }
      const { stdout } = await run(docker, ["inspect", "-f", "{{.State.Pid}}", name]);
      return { pid: Number(stdout.trim()) };
    },
    stop: async () => {
      watchdog?.kill("SIGKILL");
      if (created) await run(docker, ["rm", "-f", name]);
      created = false;
    },
    kill: async () => {
      await run(docker, ["kill", name]);
      await run(docker, ["wait", name]);
    },
    abandon: () => {
      watchdog?.kill("SIGKILL");
      if (created) spawnSync(docker, ["rm", "-f", name]);
    },
    failure: () => undefined,
  };
}

/** A shell that waits for this process to go away, however it goes, and then runs a command. */
function watch(command: string): ChildProcess | undefined {
  if (process.platform === "win32") return undefined;
  // Its standard input is a pipe from here: `read` ends when this process does, even by SIGKILL.
  const shell = spawn("/bin/sh", ["-c", `read _; ${command}`], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  shell.on("error", () => undefined); // No shell, no watchdog: the exit handler is the first guard.
  unreference(shell);
  return shell;
}

/** Lets this process end while the child runs. */
function unreference(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) {
    if (stream !== null && "unref" in stream && typeof stream.unref === "function") stream.unref();
  }
}
