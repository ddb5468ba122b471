import { createServer, type RequestListener } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { onTestFinished } from "vitest";
import { type Sandbox, type SandboxOptions, startSandbox } from "../sandbox/index.ts";
import type { Connection } from "../credentials/connection.ts";
import { createS3, type OpenS3, type RequestEvent, type S3Options } from "../s3/create.ts";
import type { Call, Pin } from "../s3/interface.ts";

export const MIB = 1024 * 1024;

/** A call that nobody ends. */
export const call: Call = { signal: new AbortController().signal };

export type OpenOptions = {
  readonly sandbox?: SandboxOptions;
  readonly connection?: Partial<Connection>;
  readonly s3?: S3Options;
};

export type OpenedS3 = {
  readonly sandbox: Sandbox;
  readonly s3: OpenS3;
  /** Every request that `s3` made. */
  readonly events: RequestEvent[];
  /** Another view of the same store. */
  readonly connect: (connection?: Partial<Connection>, s3?: S3Options) => OpenS3;
  /** What a HEAD of the object would pin. */
  readonly pin: (bucket: string, key: string) => Pin;
};

/** A sandbox with buckets `in` and `out`, and the S3 room over it; both are closed with the test. */
export async function openS3({
  sandbox: sandboxOptions = {},
  connection = {},
  s3: s3Options = {},
}: OpenOptions = {}): Promise<OpenedS3> {
  const sandbox = await startSandbox(sandboxOptions);
  onTestFinished(() => sandbox.close());
  sandbox.createBucket("in");
  sandbox.createBucket("out");
  const events: RequestEvent[] = [];
  const connect = (more: Partial<Connection> = {}, options: S3Options = {}): OpenS3 => {
    const opened = createS3(connectionTo(sandbox, { ...connection, ...more }), {
      onRequest: (event) => events.push(event),
      ...s3Options,
      ...options,
    });
    onTestFinished(() => opened.close());
    return opened;
  };
  return { sandbox, events, connect, s3: connect(), pin: (bucket, key) => pinOf(sandbox, bucket, key) };
}

/** Where a store is and who may use it. */
type Place = Pick<Sandbox, "credentials" | "region" | "endpoint">;

/** As to a store that enforces every condition. */
export function connectionTo(sandbox: Place, more: Partial<Connection> = {}): Connection {
  return {
    name: "default",
    credentials: () => Promise.resolve(sandbox.credentials),
    region: sandbox.region,
    endpoint: sandbox.endpoint,
    pathStyle: true,
    checksums: "when-supported",
    conditionalDelete: true,
    conditionalCopy: true,
    conditionalWrite: true,
    multipartThreshold: 256 * MIB,
    ...more,
  };
}

export function pinOf(sandbox: Sandbox, bucket: string, key: string): Pin {
  const object = sandbox.object(bucket, key);
  if (object === undefined) throw new Error(`expected ${bucket}/${key} in the sandbox`);
  const { etag, size, lastModified, storageClass, versionId } = object;
  return {
    bucket,
    key,
    etag,
    size,
    storageClass,
    lastModified: lastModified.toISOString(),
    ...(versionId !== undefined && { versionId }),
  };
}

/** A server that answers as it is told: for answers that no S3 server should give. */
export async function openOddStore(
  listener: RequestListener,
  more: Partial<Connection> = {},
  options: S3Options = {},
): Promise<OpenS3> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  // A TCP server's address is never a string.
  const { port } = server.address() as AddressInfo;
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const odd = { credentials: { accessKeyId: "key", secretAccessKey: "secret" }, region: "us-east-1" };
  const endpoint = `http://127.0.0.1:${port}`;
  const opened = createS3(connectionTo({ ...odd, endpoint }, { name: "odd", ...more }), options);
  onTestFinished(() => opened.close());
  return opened;
}

/** Bytes that differ everywhere, cut into chunks as a socket would. */
export function content(size: number, chunk = 65_536): { readonly bytes: Buffer; readonly stream: () => Readable } {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE(Math.imul(at + 1, 2_654_435_761) >>> 0, at);
  const stream = (): Readable =>
    Readable.from(
      (function* () {
        for (let at = 0; at < size; at += chunk) yield bytes.subarray(at, at + chunk);
      })(),
      { objectMode: false },
    );
  return { bytes, stream };
}

/** The ActivityError that a promise rejects with, as its fields. */
export async function errorOf(
  promise: Promise<unknown>,
): Promise<{ code: string; message: string; retryable: boolean; httpStatus?: number }> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error) || !("code" in error))
    throw new Error(`expected an ActivityError, got ${String(error)}`, { cause: error });
  // Has the code that only our errors carry here.
  return error as unknown as { code: string; message: string; retryable: boolean; httpStatus?: number };
}
