import type { Fault, FaultOptions } from "./behaviour/faults.ts";
import type { GenerateOptions } from "./storage/generated-objects.ts";
import type { Hook } from "./behaviour/hooks.ts";
import type { LogEntry } from "./http/operation-log.ts";
import type { Operation } from "./http/operation.ts";
import type { Quirks, SandboxCredential } from "./options.ts";
import type { Checksum, Encryption } from "./storage/stored-object.ts";

/**
 * What a bucket is made with.
 *
 * @example
 * import { type CreateBucketOptions, startSandbox } from "bucketline/sandbox";
 *
 * const options: CreateBucketOptions = { versioning: true };
 * await using sandbox = await startSandbox();
 * sandbox.createBucket("in", options);
 */
export type CreateBucketOptions = {
  /** Default: the sandbox's region. */
  region?: string;
  /** True: enabled. `"suspended"`: what is written has the version id `null`, and replaces only that version. Default false. */
  versioning?: boolean | "suspended";
  /** The owner's account. Default: that of the first credential. */
  account?: string;
  /** Other accounts that may read and write. */
  sharedWith?: readonly string[];
  /** Others than the owner have to say that they pay (`x-amz-request-payer: requester`). Default false. */
  requesterPays?: boolean;
  /** Object Lock, and how long new objects are kept. Turns versioning on. Default false. */
  objectLock?: boolean | { mode: "GOVERNANCE" | "COMPLIANCE"; days: number };
  /** Default: the sandbox's `objectOwnership`. */
  ownership?: "BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter";
  /** Default: the sandbox's `blockPublicAccess`. */
  blockPublicAccess?: boolean;
  /** Keep facts instead of bodies: copies of generated objects take about 40 bytes beside their key, uploads above 64 KiB are hashed and dropped. */
  sink?: boolean;
};

/**
 * What an object is put with.
 *
 * @example
 * import { type PutOptions, startSandbox } from "bucketline/sandbox";
 *
 * const options: PutOptions = { contentType: "text/plain" };
 * await using sandbox = await startSandbox();
 * sandbox.createBucket("in");
 * sandbox.put("in", "a.txt", "hello", options);
 */
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
  /** Until when Object Lock keeps it. */
  retention: { mode: "GOVERNANCE" | "COMPLIANCE"; until: Date } | undefined;
  legalHold: boolean;
};

export type UploadView = {
  uploadId: string;
  bucket: string;
  key: string;
  parts: { number: number; size: number; etag: string }[];
};

/** What a sandbox holds, at hand without HTTP. Synchronous. Unknown buckets throw. */
export type DirectAccess = {
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
  /** The content as UTF-8, or undefined when there is none. */
  text(bucket: string, key: string, versionId?: string): string | undefined;
  /** What is known about an object, or undefined when there is none. */
  object(bucket: string, key: string, versionId?: string): ObjectView | undefined;
  /** All versions of a key, newest first, delete markers included. */
  versions(bucket: string, key: string): ObjectView[];
  /** All keys in listing order. */
  keys(bucket: string): string[];
  /** How many keys a listing would show. */
  count(bucket: string): number;
  /** Names of all buckets, sorted. */
  buckets(): string[];
  /** Open multipart uploads. */
  uploads(bucket?: string): UploadView[];
  /** Fills a bucket with objects that exist only as a rule, in constant memory. */
  generate(bucket: string, options: GenerateOptions): void;
  /** Accepts another key pair from now on. */
  addCredentials(credential: SandboxCredential): void;
  /** From now on the sandbox answers ExpiredToken to this key. */
  expireCredentials(accessKeyId: string): void;
};

/** An S3 server in this process. */
export type Sandbox = DirectAccess & {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  readonly port: number;
  /** The region of new buckets. */
  readonly region: string;
  /** The first credential. */
  readonly credentials: SandboxCredential;

  /** Plants a fault. Of several that match a call, the one planted first strikes. */
  fault(options: FaultOptions): Fault;
  clearFaults(): void;
  /** Behaves like another store from now on; what is not named is as on AWS. */
  setQuirks(quirks: Quirks): void;
  /** Runs before an operation takes effect. Returns the remover. */
  before(operation: Operation, hook: Hook): () => void;
  /** Runs after the effect, before the answer. Returns the remover. */
  after(operation: Operation, hook: Hook): () => void;
  clearHooks(): void;

  /** The latest calls, oldest first. A call is entered just before its answer is sent. */
  readonly log: LogEntry[];
  /** All calls by operation. */
  readonly counts: Partial<Record<Operation, number>>;
  /** How many calls there were. */
  calls(operation?: Operation): number;
  clearLog(): void;

  /** Ends every connection, stalled ones too. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};
