import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { ControlCommands } from "./http/control.ts";
import { directAccess } from "./storage/direct-access.ts";
import { Faults } from "./behaviour/faults.ts";
import { Hooks } from "./behaviour/hooks.ts";
import { OperationLog } from "./http/operation-log.ts";
import { DEFAULT_CREDENTIAL, type SandboxOptions } from "./options.ts";
import { createS3Server, type S3ServerParts } from "./http/s3-server.ts";
import type { Sandbox } from "./interface.ts";
import { changeQuirks, createWorld } from "./storage/world.ts";

/**
 * Starts an S3 server in this process: in memory, strict where AWS is strict, with faults on demand.
 *
 * @throws Error when the port is taken
 *
 * @example
 * import { startSandbox } from "bucketline/sandbox";
 *
 * await using sandbox = await startSandbox();
 * sandbox.createBucket("in");
 * sandbox.put("in", "a.txt", "hello");
 * sandbox.fault({ kind: "status", operation: "GetObject", status: 503, code: "SlowDown", times: 2 });
 * console.log(sandbox.endpoint);
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  return startControlled(options, undefined);
}

/** As startSandbox, with a control channel under `/_sandbox/`. */
export async function startControlled(
  options: SandboxOptions,
  control: { readonly commands: (sandbox: Sandbox) => ControlCommands; readonly secret: string } | undefined,
): Promise<Sandbox> {
  const host = options.host ?? "127.0.0.1";
  const parts: S3ServerParts = {
    world: createWorld(options),
    faults: new Faults(),
    hooks: new Hooks(),
    log: new OperationLog(options.logSize ?? 10_000),
    latencyMs: options.latencyMs ?? 0,
    hosts: ["localhost", host],
  };
  const server = createS3Server(parts);
  server.listen(options.port ?? 0, host);
  await once(server, "listening");
  // A TCP server's address is never a string.
  const { port } = server.address() as AddressInfo;
  const sandbox = assemble(parts, {
    endpoint: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    region: parts.world.region,
    credentials: options.credentials?.[0] ?? DEFAULT_CREDENTIAL,
    close: closer(server),
  });
  parts.control = control && { commands: control.commands(sandbox), secret: control.secret };
  return sandbox;
}

type Identity = Pick<Sandbox, "endpoint" | "port" | "region" | "credentials" | "close">;

function assemble({ world, faults, hooks, log }: S3ServerParts, identity: Identity): Sandbox {
  return {
    ...identity,
    ...directAccess(world),
    fault: (options) => faults.add(options),
    clearFaults: () => faults.clear(),
    setQuirks: (quirks) => changeQuirks(world, quirks),
    before: (operation, hook) => hooks.add("before", operation, hook),
    after: (operation, hook) => hooks.add("after", operation, hook),
    clearHooks: () => hooks.clear(),
    get log() {
      return log.entries;
    },
    counts: log.counts,
    calls: (operation) =>
      operation === undefined
        ? Object.values(log.counts).reduce((sum, count) => sum + count, 0)
        : (log.counts[operation] ?? 0),
    clearLog: () => log.clear(),
    [Symbol.asyncDispose]: identity.close,
  };
}

/** Closes once; stalled connections do not hold it up. */
function closer(server: Server): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => {
    closing ??= new Promise<void>((resolve, reject) => {
      server.close((error) => (error === undefined ? resolve() : reject(error)));
      server.closeAllConnections();
    });
    return closing;
  };
}
