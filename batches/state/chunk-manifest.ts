import { promisify } from "node:util";
import { deflateRaw, inflateRaw } from "node:zlib";
import type { S3Object, Verified } from "../../model/entities.ts";

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** S3's limit on a listing and on DeleteObjects. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export const CHUNK_SIZE = 1000;

/** Why an object cannot be worked on, known before anything is tried. */
export type Refusal = readonly [index: number, code: string, message: string];

/** The objects of a chunk in columns: parses fast and compresses to some 25 bytes an object. */
export type ChunkManifest = {
  /** Of every object, or one for each. */
  readonly bucket: string | readonly string[];
  readonly keys: readonly string[];
  /** The pins, without quotes; empty where the source of the batch did not tell. */
  readonly etags: readonly string[];
  /** Bytes; -1 where the source of the batch did not tell. */
  readonly sizes: readonly number[];
  readonly modified: readonly string[];
  /** Of every object, or one for each. */
  readonly classes: string | readonly string[];
  /** Named by the caller: exactly these versions are read and deleted. */
  readonly versions?: readonly (string | null)[];
  /** Keys at the destination that differ from the batch's rule. */
  readonly destinations?: readonly (string | null)[];
  /** What an earlier batch proved to have copied. */
  readonly copies?: readonly (Copied | null)[];
  readonly refusals?: readonly Refusal[];
  /** Where a page of a listing stands in its chain, for one that is kept outside of Redis. */
  readonly page?: PagePlace;
};

export type PagePlace = {
  /** The run of the batch that it was committed in. */
  readonly run: string;
  readonly cursor: string;
  readonly last: boolean;
  readonly filtered: number;
  readonly cap?: string;
};

/** A copy that is at its destination already, and how that was proven. */
export type Copied = { readonly etag: string; readonly verified: Verified };

export function manifestOfListing(bucket: string, objects: readonly S3Object[]): ChunkManifest {
  const first = objects[0]?.storageClass ?? "STANDARD";
  const uniform = objects.every(({ storageClass }) => storageClass === first);
  return {
    bucket,
    keys: objects.map(({ key }) => key),
    etags: objects.map(({ etag }) => etag),
    sizes: objects.map(({ size }) => size),
    modified: objects.map(({ lastModified }) => lastModified),
    classes: uniform ? first : objects.map(({ storageClass }) => storageClass),
  };
}

/** One line of items or a manifest document. */
export type ManifestEntry = {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly etag?: string | undefined;
  readonly size?: number | undefined;
  readonly lastModified?: string | undefined;
  readonly storageClass?: string | undefined;
  readonly destinationKey?: string | undefined;
  readonly copied?: Copied | undefined;
  readonly refusal?: { readonly code: string; readonly message: string };
};

export function manifestOfEntries(entries: readonly ManifestEntry[]): ChunkManifest {
  const bucket = entries[0]?.bucket ?? "";
  const refusals = entries.flatMap(({ refusal }, index): Refusal[] =>
    refusal === undefined ? [] : [[index, refusal.code, refusal.message]],
  );
  return {
    bucket: entries.every((entry) => entry.bucket === bucket) ? bucket : entries.map((entry) => entry.bucket),
    keys: entries.map(({ key }) => key),
    etags: entries.map(({ etag = "" }) => unquote(etag)),
    sizes: entries.map(({ size = -1 }) => size),
    modified: entries.map(({ lastModified = "" }) => lastModified),
    classes: entries.map(({ storageClass = "" }) => storageClass),
    ...(entries.some(({ versionId }) => versionId !== undefined) && {
      versions: entries.map(({ versionId }) => versionId ?? null),
    }),
    ...(entries.some(({ destinationKey }) => destinationKey !== undefined) && {
      destinations: entries.map(({ destinationKey }) => destinationKey ?? null),
    }),
    ...(entries.some(({ copied }) => copied !== undefined) && { copies: entries.map(({ copied }) => copied ?? null) }),
    ...(refusals.length > 0 && { refusals }),
  };
}

function unquote(etag: string): string {
  return etag.startsWith('"') && etag.endsWith('"') && etag.length > 1 ? etag.slice(1, -1) : etag;
}

/** The first `count` objects. */
export function cutManifest(manifest: ChunkManifest, count: number): ChunkManifest {
  const cut = <T>(column: readonly T[]): readonly T[] => column.slice(0, count);
  const { bucket, classes, versions, destinations, copies, refusals } = manifest;
  return {
    bucket: typeof bucket === "string" ? bucket : cut(bucket),
    keys: cut(manifest.keys),
    etags: cut(manifest.etags),
    sizes: cut(manifest.sizes),
    modified: cut(manifest.modified),
    classes: typeof classes === "string" ? classes : cut(classes),
    ...(versions && { versions: cut(versions) }),
    ...(destinations && { destinations: cut(destinations) }),
    ...(copies && { copies: cut(copies) }),
    ...(refusals && { refusals: refusals.filter(([index]) => index < count) }),
  };
}

export function bucketAt({ bucket }: ChunkManifest, index: number): string {
  return typeof bucket === "string" ? bucket : (bucket[index] ?? "");
}

export function classAt({ classes }: ChunkManifest, index: number): string {
  return typeof classes === "string" ? classes : (classes[index] ?? "");
}

/** Bytes of all objects, as far as they are known. */
export function bytesOf({ sizes }: ChunkManifest): number {
  let bytes = 0;
  for (const size of sizes) if (size > 0) bytes += size;
  return bytes;
}

/** Level 1: within a few percent of the best, as most of it are random ETags, at a fifth of the time. */
export async function encodeManifest(manifest: ChunkManifest): Promise<Buffer> {
  return deflate(JSON.stringify(manifest), { level: 1 });
}

/**
 * The most bytes of a manifest: a thousand keys and destinations of 1,024 bytes, each byte of them six characters of JSON, and some 1,500 characters beside
 * each. What lies in Redis may be anybody's, and a few kilobytes of it could become gigabytes here.
 */
const MAX_BYTES = 16 * 1024 ** 2;

export async function decodeManifest(bytes: Buffer): Promise<ChunkManifest> {
  const text = (await inflate(bytes, { maxOutputLength: MAX_BYTES })).toString("utf8");
  return JSON.parse(text) as ChunkManifest; // only encodeManifest writes it
}
