/**
 * The S3 server in a process of its own, for benchmarks and fault campaigns: `node sandbox/server-process.ts '<SandboxOptions as JSON>'`.
 * Prints one JSON line, `{ endpoint, pid, credentials, secret }`, the last for its control channel. Ends with SIGTERM, SIGINT, or when its standard input closes.
 */
import { randomBytes } from "node:crypto";
import type { FaultOptions } from "./behaviour/faults.ts";
import type { GenerateOptions } from "./storage/generated-objects.ts";
import type { Quirks, SandboxOptions } from "./options.ts";
import type { CreateBucketOptions, PutOptions, Sandbox } from "./interface.ts";
import type { ControlCommands } from "./http/control.ts";
import { startControlled } from "./start.ts";

/** Each command takes the arguments of its namesake in `Sandbox` as a JSON list. The casts trust our own client, start-process.ts. */
function commands(sandbox: Sandbox): ControlCommands {
  const faults: ReturnType<Sandbox["fault"]>[] = [];
  return {
    createBucket: (input) => sandbox.createBucket(...(input as [string, CreateBucketOptions?])),
    generate: (input) => sandbox.generate(...(input as [string, GenerateOptions])),
    put: (input) => sandbox.put(...(input as [string, string, string, PutOptions?])),
    delete: (input) => sandbox.delete(...(input as [string, string])),
    text: (input) => sandbox.text(...(input as [string, string, string?])),
    object: (input) => sandbox.object(...(input as [string, string, string?])),
    versions: (input) => sandbox.versions(...(input as [string, string])),
    keys: (input) => sandbox.keys(...(input as [string])),
    count: (input) => sandbox.count(...(input as [string])),
    uploads: (input) => sandbox.uploads(...(input as [string?])),
    fault: (input) => {
      const [options] = input as [FaultOptions & { keyPattern?: string }];
      const { keyPattern, ...rest } = options;
      return (
        faults.push(sandbox.fault(keyPattern === undefined ? rest : { ...rest, key: new RegExp(keyPattern, "u") })) - 1
      );
    },
    faultHits: () => faults.map((fault) => fault.hits),
    clearFaults: () => {
      sandbox.clearFaults();
      faults.length = 0;
    },
    setQuirks: (input) => sandbox.setQuirks(...(input as [Quirks])),
    state: () => ({
      counts: sandbox.counts,
      buckets: Object.fromEntries(sandbox.buckets().map((name) => [name, sandbox.count(name)])),
      uploads: sandbox.uploads().length,
      memory: process.memoryUsage(),
      cpuMicroseconds: process.cpuUsage(),
    }),
    clearLog: () => sandbox.clearLog(),
    expireCredentials: (input) => sandbox.expireCredentials(...(input as [string])),
  };
}

const options = JSON.parse(process.argv[2] ?? "{}") as SandboxOptions;
/** Whoever started this process reads it from the first line; no other process of the machine is told. */
const secret = randomBytes(32).toString("base64url");
const sandbox = await startControlled(options, { commands, secret });
const end = () => {
  void sandbox.close().finally(() => process.exit(0));
};
process.on("SIGTERM", end);
process.on("SIGINT", end);
// The parent holds the other end: when it dies, however it dies, this process ends too.
process.stdin.on("end", end).resume();
const { endpoint, credentials } = sandbox;
console.log(JSON.stringify({ endpoint, pid: process.pid, credentials, secret }));
