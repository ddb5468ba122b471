import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { bodyBytes, bodyMd5, bytesBody } from "./body.ts";
import type { Bucket } from "./bucket.ts";
import type { Control } from "./control.ts";
import { Faults, type Fault, type FaultOptions } from "./faults.ts";
import type { GenerateOptions } from "./generated-objects.ts";
import { Hooks, type Hook } from "./hooks.ts";
import { compareKeys } from "./key-order.ts";
import type { Operation } from "./operation.ts";
import { OperationLog, type LogEntry } from "./operation-log.ts";
import { DEFAULT_CREDENTIAL, type SandboxCredential, type SandboxOptions } from "./options.ts";
import { createS3Server } from "./s3-server.ts";
import {
  nowInSeconds,
  PLAIN_FACTS,
  versionName,
  type Checksum,
  type Encryption,
  type StoredObject,
} from "./stored-object.ts";
import { addBucket, createWorld } from "./world.ts";

export type CreateBucketOptions = {
  /** Default: the sandbox's region. */
  region?: string;
  versioning?: boolean;
  /** The owner's account. Default: that of the first credential. */
  account?: string;
  /** Other accounts that may read and write. */
  sharedWith?: readonly string[];
  /** Keep facts instead of bodies: copies of generated objects take about 40 bytes beside their key, uploads above 64 KiB are hashed and dropped. */
  sink?: boolean;
};

export type PutOptions = {
  contentType?: string;
  /** Further system headers: `cache-control`, `content-disposition`, `content-encoding`, `content-language`, `expires`. */
  headers?: Record<string, string>;
  metadata?: Record<string, string>;
  tags?: Record<string, string>;
  storageClass?: string;
  encryption?: Encryption;
  checksum?: Checksum;
  /** Instead of the MD5 of the body. */
  etag?: string;
  lastModified?: Date;
};

/** An object as tests see it. */
export type ObjectView = {
  key: string;
  size: number;
  /** Without quotes. */
  etag: string;
  lastModified: Date;
  contentType: string;
  headers: Record<string, string>;
  metadata: Record<string, string>;
  tags: Record<string, string>;
  storageClass: string;
  encryption: Encryption;
  versionId: string | undefined;
  deleteMarker: boolean;
  /** How many parts a multipart upload had; undefined for single-part objects. */
  parts: number | undefined;
  checksum: Checksum | undefined;
};

export type UploadView = {
  uploadId: string;
  bucket: string;
  key: string;
  parts: { number: number; size: number; etag: string }[];
};

/** An S3 server in this process, and direct access to what it holds. */
export type Sandbox = {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  readonly port: number;
  readonly region: string;
  /** The first credential. */
  readonly credentials: SandboxCredential;

  createBucket(name: string, options?: CreateBucketOptions): void;
  /** Stores an object; an existing one gets a new version or is replaced. */
  put(
    bucket: string,
    key: string,
    body: string | Uint8Array,
    options?: PutOptions,
  ): { etag: string; versionId?: string };
  /** Deletes as a request without a version id does. Says whether there was something. */
  delete(bucket: string, key: string): boolean;
  /** The content, or undefined when there is none. */
  bytes(bucket: string, key: string, versionId?: string): Buffer | undefined;
  text(bucket: string, key: string, versionId?: string): string | undefined;
  object(bucket: string, key: string, versionId?: string): ObjectView | undefined;
  /** All versions of a key, newest first, delete markers included. */
  versions(bucket: string, key: string): ObjectView[];
  /** All keys in listing order. */
  keys(bucket: string): string[];
  count(bucket: string): number;
  buckets(): string[];
  /** Open multipart uploads. */
  uploads(bucket?: string): UploadView[];
  /** Fills a bucket with objects that exist only as a rule, in constant memory. */
  generate(bucket: string, options: GenerateOptions): void;

  fault(options: FaultOptions): Fault;
  clearFaults(): void;
  /** Runs before an operation takes effect. Returns the remover. */
  before(operation: Operation, hook: Hook): () => void;
  /** Runs after the effect, before the answer. Returns the remover. */
  after(operation: Operation, hook: Hook): () => void;
  clearHooks(): void;

  readonly log: LogEntry[];
  readonly counts: Partial<Record<Operation, number>>;
  calls(operation?: Operation): number;
  clearLog(): void;

  addCredentials(credential: SandboxCredential): void;
  /** From now on the sandbox answers ExpiredToken to this key. */
  expireCredentials(accessKeyId: string): void;

  /** Ends every connection, stalled ones too. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * Starts an S3 server in this process: in memory, strict where AWS is strict, with faults on demand.
 *
 * @throws Error when the port is taken
 */
export async function startSandbox(
  options: SandboxOptions & { control?: (sandbox: Sandbox) => Control } = {},
): Promise<Sandbox> {
  const world = createWorld(options);
  const faults = new Faults();
  const hooks = new Hooks();
  const log = new OperationLog(options.logSize ?? 10_000);
  const host = options.host ?? "127.0.0.1";
  const parts = {
    world,
    faults,
    hooks,
    log,
    latencyMs: options.latencyMs ?? 0,
    hosts: ["localhost", host],
    control: undefined as Control | undefined,
  };
  const server = createS3Server(parts);
  server.listen(options.port ?? 0, host);
  await once(server, "listening");
  // A TCP server's address is never a string.
  const { port } = server.address() as AddressInfo;

  const open = (name: string): Bucket => {
    const bucket = world.buckets.get(name);
    if (bucket === undefined)
      throw new Error(`the sandbox has no bucket ${JSON.stringify(name)}; create it with sandbox.createBucket`);
    return bucket;
  };
  const find = (bucket: string, key: string, versionId?: string) =>
    versionId === undefined ? open(bucket).current(key) : open(bucket).version(key, versionId);

  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= new Promise<void>((resolve, reject) => {
      server.close((error) => (error === undefined ? resolve() : reject(error)));
      server.closeAllConnections();
    });
    return closing;
  };

  const sandbox: Sandbox = {
    endpoint: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    region: world.region,
    credentials: options.credentials?.[0] ?? DEFAULT_CREDENTIAL,
    createBucket: (name, { versioning, ...rest } = {}) => {
      if (world.buckets.has(name)) throw new Error(`the sandbox has a bucket ${JSON.stringify(name)} already`);
      addBucket(world, { name, ...rest, versioning: versioning ? "Enabled" : undefined });
    },
    put: (bucket, key, body, put = {}) => {
      const stored = open(bucket).put(newObject(key, body, put));
      return stored.versionId === undefined
        ? { etag: stored.etag }
        : { etag: stored.etag, versionId: stored.versionId };
    },
    delete: (bucket, key) => {
      const existed = open(bucket).current(key) !== undefined;
      if (existed) open(bucket).delete(key);
      return existed;
    },
    bytes: (bucket, key, versionId) => readBytes(find(bucket, key, versionId)),
    text: (bucket, key, versionId) => readBytes(find(bucket, key, versionId))?.toString("utf8"),
    object: (bucket, key, versionId) => {
      const object = find(bucket, key, versionId);
      return object && viewObject(object);
    },
    versions: (bucket, key) => open(bucket).versions(key).map(viewObject),
    keys: (bucket) => liveKeys(open(bucket)),
    count: (bucket) => open(bucket).count,
    buckets: () => [...world.buckets.keys()].sort(),
    uploads: (bucket) =>
      [...world.uploads.values()]
        .filter((upload) => bucket === undefined || upload.bucket === bucket)
        .map(({ uploadId, bucket: name, key, parts: uploaded }) => ({
          uploadId,
          bucket: name,
          key,
          parts: [...uploaded.values()]
            .map((part) => ({ number: part.number, size: part.body.size, etag: part.etag }))
            .sort((a, b) => a.number - b.number),
        })),
    generate: (bucket, generate) => open(bucket).generate(generate),
    fault: (fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
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
    addCredentials: (credential) => void world.credentials.set(credential.accessKeyId, credential),
    expireCredentials: (accessKeyId) => {
      const credential = world.credentials.get(accessKeyId);
      if (credential === undefined) throw new Error(`the sandbox knows no access key ${accessKeyId}`);
      world.credentials.set(accessKeyId, { ...credential, expiresAt: 0 });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
  parts.control = options.control?.(sandbox);
  return sandbox;
}

function newObject(key: string, content: string | Uint8Array, options: PutOptions): StoredObject {
  // A copy: the caller may go on using its array.
  const body = bytesBody(Buffer.from(content));
  const object: StoredObject = {
    key,
    body,
    etag: options.etag ?? bodyMd5(body),
    lastModified:
      options.lastModified === undefined ? nowInSeconds() : Math.floor(options.lastModified.getTime() / 1000) * 1000,
    facts: {
      headers: { "content-type": options.contentType ?? "binary/octet-stream", ...options.headers },
      metadata: options.metadata ?? {},
      storageClass: options.storageClass ?? "STANDARD",
      encryption: options.encryption ?? PLAIN_FACTS.encryption,
    },
  };
  if (options.tags !== undefined)
    object.tags = Object.entries(options.tags).map(([name, value]) => ({ key: name, value }));
  if (options.checksum !== undefined) object.checksum = options.checksum;
  return object;
}

function readBytes(object: StoredObject | undefined): Buffer | undefined {
  return object === undefined || object.deleteMarker ? undefined : bodyBytes(object.body);
}

function viewObject(object: StoredObject): ObjectView {
  const { facts } = object;
  return {
    key: object.key,
    size: object.body.size,
    etag: object.etag,
    lastModified: new Date(object.lastModified),
    contentType: facts.headers["content-type"] ?? "",
    headers: { ...facts.headers },
    metadata: { ...facts.metadata },
    tags: Object.fromEntries((object.tags ?? []).map((tag) => [tag.key, tag.value])),
    storageClass: facts.storageClass,
    encryption: { ...facts.encryption },
    versionId: object.versionId === undefined ? undefined : versionName(object),
    deleteMarker: object.deleteMarker ?? false,
    parts: object.parts?.length,
    checksum: object.checksum,
  };
}

function liveKeys(bucket: Bucket): string[] {
  const keys: string[] = [];
  for (const run of bucket.runs()) {
    for (let i = 0; i < run.length; i++) {
      const object = run.headAt(i);
      if (object !== undefined && !object.deleteMarker) keys.push(object.key);
    }
  }
  return bucket.runs().length === 1 ? keys : keys.sort(compareKeys);
}
