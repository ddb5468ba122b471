import { type Connection, DEFAULT_TRANSFER, type Transfer } from "../credentials/connection.ts";
import { createMemoryBudget, type MemoryBudget } from "./parts/memory-budget.ts";
import { type Clients, createClients } from "./transport/clients.ts";
import { type CredentialCache, createCredentialCache } from "./transport/credential-cache.ts";
import { createFastPath, type FastPath } from "./transport/fast-path.ts";
import { createRegionCache, type RegionCache } from "./transport/region-cache.ts";
import { createSeenBuckets, type SeenBuckets } from "./transport/seen-buckets.ts";

/** One request to the store, for metrics. */
export type RequestEvent = {
  /** The SDK's name of the operation. */
  readonly operation: string;
  /** Absent where no answer came. */
  readonly status?: number;
  readonly path: "fast" | "sdk";
  readonly durationMs: number;
  readonly bytes?: number;
  readonly throttled: boolean;
  readonly bucket?: string;
};

export type S3Options = {
  /** Sockets to one host, on each of both paths. Default 64. */
  readonly maxSockets?: number;
  /** Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** How long the store may keep a body waiting without a byte moved. Default 30,000. */
  readonly idleTimeoutMs?: number;
  /** How long an answer may take, its body included where it is no object's. Default 60,000. */
  readonly requestTimeoutMs?: number;
  /** As above, for calls in which the store itself moves the bytes. Default 300,000. */
  readonly copyTimeoutMs?: number;
  /** CopyObject, HeadObject, DeleteObject and ListObjectsV2 without the SDK where they succeed. Default true. */
  readonly fastPath?: boolean;
  /** Told of every request; must not throw. */
  readonly onRequest?: (event: RequestEvent) => void;
  /** Least bytes of a part of a multipart copy; grows with the object. Default 128 MiB, at least 5 MiB on AWS. */
  readonly copyPartSize?: number;
  /** Parts of one object copied at once. Default 8. */
  readonly copyParts?: number;
  /** Least bytes of a part of an upload; grows with the object. Default 8 MiB, at least 5 MiB. */
  readonly uploadPartSize?: number;
  /** Bytes that one upload may hold in memory; parts that do not fit are streamed. Default 64 MiB. */
  readonly uploadBuffer?: number;
  /** Bytes that parts read ahead of their turn may hold in memory, over all downloads. Default 96 MiB. */
  readonly downloadBuffer?: number;
};

export type Settings = Required<Omit<S3Options, "onRequest">> & Pick<S3Options, "onRequest">;

const MIB = 1024 * 1024;

/** What every operation of one connection shares. */
export type Store = {
  readonly connection: Connection;
  readonly settings: Settings;
  readonly credentials: CredentialCache;
  readonly regions: RegionCache;
  /** How large objects are cut. */
  readonly transfer: Transfer;
  /** The memory of all downloads. */
  readonly downloads: MemoryBudget;
  readonly clients: Clients;
  /** Absent where the profile or its options rule it out. */
  readonly fast: FastPath | undefined;
  /** Buckets that answered lately: a 404 there is about the object. */
  readonly seenBuckets: SeenBuckets;
  /** Buckets where a version that was asked for by name was answered by that name lately. */
  readonly namesVersions: SeenBuckets;
  /** Buckets with versioning on, a moment ago. */
  readonly keepsVersions: SeenBuckets;
  /** What was learned of this store while working with it. */
  readonly learned: { bareIfMatch: boolean };
  /** How errors call the store. */
  readonly name: string;
};

export function createStore(connection: Connection, options: S3Options): Store {
  const settings: Settings = {
    maxSockets: 64,
    connectTimeoutMs: 5_000,
    idleTimeoutMs: 30_000,
    requestTimeoutMs: 60_000,
    copyTimeoutMs: 300_000,
    fastPath: true,
    copyPartSize: 128 * MIB,
    copyParts: 8,
    uploadPartSize: 8 * MIB,
    uploadBuffer: 64 * MIB,
    downloadBuffer: 96 * MIB,
    ...options,
  };
  const credentials = createCredentialCache(connection.credentials);
  const regions = createRegionCache();
  const clients = createClients(connection, credentials, settings);
  const name = connection.endpoint ?? `AWS in ${connection.region}`;
  const parts = { connection, settings, credentials, regions, clients, name };
  return {
    ...parts,
    fast: settings.fastPath ? createFastPath(parts) : undefined,
    transfer: { ...DEFAULT_TRANSFER, partSize: settings.uploadPartSize, ...connection.transfer },
    downloads: createMemoryBudget(settings.downloadBuffer),
    seenBuckets: createSeenBuckets(),
    namesVersions: createSeenBuckets(),
    keepsVersions: createSeenBuckets(),
    learned: { bareIfMatch: false },
  };
}

/** Which profile's account must own the bucket, where the profile says. https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html */
export function ownedBy({ connection }: Store): { ExpectedBucketOwner?: string } {
  return connection.expectedBucketOwner === undefined ? {} : { ExpectedBucketOwner: connection.expectedBucketOwner };
}
