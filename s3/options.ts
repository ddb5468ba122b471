import type { Connection } from "../credentials/connection.ts";
import type { Lesson } from "./lessons.ts";
import type { Clients } from "./transport/clients.ts";
import type { CredentialCache } from "./transport/credential-cache.ts";
import type { RegionCache } from "./transport/region-cache.ts";

const MIB = 1024 * 1024;

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
  /** Told once of each thing that a store turned out to lack; must not throw. */
  readonly onLesson?: (connection: Connection, lesson: Lesson) => void;
  /** Least bytes of a part of a multipart copy; grows with the object. Default 128 MiB, at least 5 MiB on AWS. */
  readonly copyPartSize?: number;
  /** Parts of one object copied at once. Default 8. */
  readonly copyParts?: number;
  /** Least bytes of a part of an upload; grows with the object. Default 5 MiB, the least that S3 takes. */
  readonly uploadPartSize?: number;
  /** Bytes that one upload may hold in memory; parts that do not fit are streamed. Default 64 MiB. */
  readonly uploadBuffer?: number;
  /** Bytes that parts read ahead of their turn may hold in memory, over all downloads. Default 48 MiB. */
  readonly downloadBuffer?: number;
  /** Bytes that parts on their way may hold in memory, over all uploads. Default 48 MiB. */
  readonly uploadsBuffer?: number;
};

type Told = "onRequest" | "onLesson";
export type Settings = Required<Omit<S3Options, Told>> & Pick<S3Options, Told>;

/** What every way to the store needs, the fast path and the SDK's alike. */
export type StoreBase = {
  readonly connection: Connection;
  readonly settings: Settings;
  readonly credentials: CredentialCache;
  readonly regions: RegionCache;
  readonly clients: Clients;
  /** Told of each request of this view of the store as it goes out. */
  readonly onSent?: (operation: string) => void;
  /** How errors call the store. */
  readonly name: string;
};

/** What was given, and the defaults of the rest. */
export function withDefaults(options: S3Options): Settings {
  return {
    maxSockets: 64,
    connectTimeoutMs: 5_000,
    idleTimeoutMs: 30_000,
    requestTimeoutMs: 60_000,
    copyTimeoutMs: 300_000,
    fastPath: true,
    copyPartSize: 128 * MIB,
    copyParts: 8,
    uploadPartSize: 5 * MIB,
    uploadBuffer: 64 * MIB,
    downloadBuffer: 48 * MIB,
    uploadsBuffer: 48 * MIB,
    ...options,
  };
}

/**
 * What every request says of its bucket: which account must own it, where the profile says, and that the requester pays.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
 */
export function ownedBy({
  connection,
  requesterPays = connection.requesterPays ?? false,
}: Pick<StoreBase, "connection"> & { readonly requesterPays?: boolean }): {
  ExpectedBucketOwner?: string;
  RequestPayer?: "requester";
} {
  return {
    ...(connection.expectedBucketOwner !== undefined && { ExpectedBucketOwner: connection.expectedBucketOwner }),
    ...(requesterPays && { RequestPayer: "requester" as const }),
  };
}
