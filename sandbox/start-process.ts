import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { SECRET_HEADER } from "./http/control.ts";
import type { FaultOptions } from "./behaviour/faults.ts";
import type { GenerateOptions } from "./storage/generated-objects.ts";
import type { Operation } from "./http/operation.ts";
import type { SandboxCredential, SandboxOptions } from "./options.ts";
import type { DirectAccess, ObjectView, Sandbox } from "./interface.ts";

type Remote<F> = F extends (...input: infer I) => infer O ? (...input: I) => Promise<O> : never;

/** An object's view after a journey through JSON. */
export type RemoteObjectView = Omit<ObjectView, "lastModified"> & { lastModified: string };

/** The server's commands from another process. Keys that a function computes cannot be sent: `generate` takes default keys. */
export type SandboxControl = {
  createBucket: Remote<DirectAccess["createBucket"]>;
  generate(bucket: string, options: Omit<GenerateOptions, "key" | "size"> & { size?: number }): Promise<void>;
  put(
    bucket: string,
    key: string,
    body: string,
    options?: Parameters<DirectAccess["put"]>[3],
  ): Promise<ReturnType<DirectAccess["put"]>>;
  delete: Remote<DirectAccess["delete"]>;
  /** Undefined when there is none. */
  text(bucket: string, key: string, versionId?: string): Promise<string | undefined>;
  object(bucket: string, key: string, versionId?: string): Promise<RemoteObjectView | undefined>;
  versions(bucket: string, key: string): Promise<RemoteObjectView[]>;
  keys: Remote<DirectAccess["keys"]>;
  count: Remote<DirectAccess["count"]>;
  uploads: Remote<DirectAccess["uploads"]>;
  /** Plants a fault and answers its place in `faultHits`. A key pattern is sent as its source. */
  fault(options: Omit<FaultOptions, "key"> & { key?: string; keyPattern?: string }): Promise<number>;
  /** Hits of every fault since `clearFaults`, in the order they were planted. */
  faultHits(): Promise<number[]>;
  clearFaults(): Promise<void>;
  setQuirks: Remote<Sandbox["setQuirks"]>;
  state(): Promise<SandboxState>;
  clearLog(): Promise<void>;
  expireCredentials: Remote<DirectAccess["expireCredentials"]>;
};

export type SandboxState = {
  counts: Partial<Record<Operation, number>>;
  /** Keys per bucket. */
  buckets: Record<string, number>;
  /** Open multipart uploads. */
  uploads: number;
  /** Bytes. */
  memory: NodeJS.MemoryUsage;
  cpuMicroseconds: NodeJS.CpuUsage;
};

/** A sandbox in a process of its own. */
export type SandboxProcess = {
  readonly endpoint: string;
  readonly pid: number;
  readonly credentials: SandboxCredential;
  readonly control: SandboxControl;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * Starts the S3 server in a process of its own, so that its work does not count as the client's. It ends with this process.
 *
 * @throws Error when the process ends before it serves
 *
 * @example
 * import { startSandboxProcess } from "bucketline/sandbox";
 *
 * await using server = await startSandboxProcess();
 * await server.control.createBucket("in");
 * console.log(server.endpoint);
 */
export async function startSandboxProcess(options: SandboxOptions = {}): Promise<SandboxProcess> {
  // Beside this file, .ts from a checkout and .js from the published package.
  const script = fileURLToPath(
    new URL(import.meta.url.endsWith(".ts") ? "./server-process.ts" : "./server-process.js", import.meta.url),
  );
  const child = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ["pipe", "pipe", "pipe"] });
  let complaint = "";
  const complain = (chunk: Buffer) => {
    complaint += chunk.toString("utf8");
  };
  child.stderr.on("data", complain);
  // After `close` all that it wrote has been read.
  const exited = once(child, "close");
  const line = await Promise.race([once(createInterface(child.stdout), "line"), exited.then(() => undefined)]);
  if (line === undefined) {
    throw new Error(`the sandbox's process ended with code ${child.exitCode} before it served: ${complaint.trim()}`);
  }
  child.stderr.off("data", complain).pipe(process.stderr);
  const { endpoint, pid, credentials, secret } = JSON.parse(String(line[0])) as Pick<
    SandboxProcess,
    "endpoint" | "pid" | "credentials"
  > & { readonly secret: string };
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
  };
  return { endpoint, pid, credentials, control: connectControl(endpoint, secret), stop, [Symbol.asyncDispose]: stop };
}

function connectControl(endpoint: string, secret: string): SandboxControl {
  const send = async (command: string, input: unknown[]): Promise<unknown> => {
    const response = await fetch(`${endpoint}/_sandbox/${command}`, {
      method: "POST",
      headers: { [SECRET_HEADER]: secret },
      body: JSON.stringify(input),
    });
    const { result, error } = (await response.json()) as { result?: unknown; error?: string };
    if (error !== undefined) throw new Error(`sandbox ${command}: ${error}`);
    return result ?? undefined;
  };
  // Every command is one POST of its arguments; the type above says what each takes and gives.
  return new Proxy({} as SandboxControl, {
    get: (_, command) =>
      typeof command === "string" && command !== "then" ? (...input: unknown[]) => send(command, input) : undefined,
  });
}
