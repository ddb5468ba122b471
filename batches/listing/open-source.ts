import { ActivityError } from "../../model/activity-error.ts";
import { isAlias, isSameSecond } from "../../model/one-object.ts";
import type { S3 } from "../../s3/interface.ts";
import type { BatchItem, ManifestSource } from "../spec/fields.ts";
import { type BatchSpec, prefixSource, refuseOverlap, takesAll } from "../spec/request.ts";
import { verbOf } from "../operations.ts";
import { isDirectoryBucket, type ListingCursor } from "./pages.ts";
import type { LeasedRange } from "../../redis/leases.ts";
import { itemChains } from "../spec/problems.ts";
import { placesOf, rangesOf } from "../state/ranges.ts";
import { surveyManifest, type TakenLine } from "./survey-manifest.ts";
import { countLines } from "./manifest-lines.ts";
import { splitPrefix } from "./split.ts";
import { type ChunkDeps, isOneBucket } from "../run/work.ts";

export type Opening = {
  readonly note?: string;
  readonly total?: number;
  readonly feed?: boolean;
  /** One for each chain; none where there is nothing to do. */
  readonly cursors: readonly string[];
};

type Ends = { readonly spec: BatchSpec; readonly source: S3; readonly destination: S3; readonly signal: AbortSignal };

/**
 * Looks at both ends before anything runs, and shares the source out over chains.
 *
 * @throws ActivityError `PolicyDenied`, `NoSuchBucket`, `AccessDenied`, `BatchOverlap`, `DocumentNotFound`, ...: the batch fails with it
 */
export async function openSource(ends: Ends, deps: Pick<ChunkDeps, "allowed" | "documents">): Promise<Opening> {
  const { spec, source, destination, signal } = ends;
  if (spec.destination !== undefined) await refuseMissingBucket(destination, spec.destination.bucket, signal);
  if ("items" in spec.source) return { cursors: [""] };
  if ("manifest" in spec.source) return await openManifest(spec.source, spec, { documents: deps.documents, signal });
  const { bucket, prefix } = spec.source;
  const mayList = await deps.allowed(spec.credentials, "list-objects", bucket);
  if (!mayList(prefix))
    throw new ActivityError("PolicyDenied", `the profile's policy does not allow to list s3://${bucket}/${prefix}*`, {
      field: "source.prefix",
    });
  const first = await source.listPage({ bucket, prefix }, { signal });
  const to = spec.destination?.bucket;
  const one = isOneBucket(source, destination, bucket, to);
  refuseOverlap(spec, one || (await looksLikeOneBucket(ends, first.objects[0])));
  if (first.objects.length === 0 && first.next === undefined)
    return { note: `no object matches s3://${bucket}/${prefix}`, total: 0, cursors: [] };
  const single: ListingCursor = isDirectoryBucket(bucket) ? { byToken: true } : {};
  if (first.next === undefined || isDirectoryBucket(bucket)) return { cursors: [JSON.stringify(single)] };
  const cursors = await splitPrefix(source, { bucket, prefix, first: first.objects }, signal);
  return { cursors: cursors.map((cursor) => JSON.stringify(cursor)) };
}

/** What is found out of a batch's objects before anything runs. A manifest is read for it. */
export async function surveySource(
  { spec, source, destination, signal }: Ends,
  items: readonly BatchItem[],
  documents: ChunkDeps["documents"],
): Promise<{ readonly ranges: readonly LeasedRange[]; readonly taken: readonly TakenLine[] }> {
  const ends = { source, destination };
  const list = spec.source;
  const { source: named, destination: to } = verbOf(spec);
  // A verb that leases nothing, and has no destination where lines could meet, need not read the manifest for it.
  if (!("manifest" in list) || (named.lease === undefined && to === undefined))
    return { ranges: rangesOf(spec, ends, placesOf(spec, items)), taken: [] };
  const open = () => documents.read(list.manifest, { keep: true, signal });
  const { places, taken } = await surveyManifest(open, spec, list);
  return { ranges: rangesOf(spec, ends, places), taken };
}

/**
 * Items of which one is written where another is read. What the request itself tells was refused when it was made; here the two ends turned
 * out to be one store.
 *
 * @throws ActivityError `BatchOverlap`
 */
export function refuseItemChains({ spec, source, destination }: Ends, items: readonly BatchItem[]): void {
  if (source.connection.endpoint !== destination.connection.endpoint) return;
  const [chain] = itemChains(spec, items);
  if (chain !== undefined)
    throw new ActivityError("BatchOverlap", `batch.${chain.path.join(".")}: ${chain.message}`, {
      field: chain.path.join("."),
    });
}

/** Only what the store says for sure: a bucket that cannot be looked into may still be written to. */
async function refuseMissingBucket(s3: S3, bucket: string, signal: AbortSignal): Promise<void> {
  try {
    await s3.headBucket(bucket, { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ActivityError && error.httpStatus === 403) return;
    throw error;
  }
}

/**
 * Names leave open whether both ends are one bucket where an access-point alias, or one name at two endpoints, is involved. Then the first
 * source object decides: seen at the other end under its own key, with the same content written at the same moment, it is one bucket.
 */
async function looksLikeOneBucket(
  { spec, source, destination, signal }: Ends,
  first: { key: string; etag: string; lastModified: string } | undefined,
): Promise<boolean> {
  const from = prefixSource(spec)?.bucket;
  const to = spec.destination?.bucket;
  if (first === undefined || from === undefined || to === undefined) return false;
  if (from !== to && !isAlias(from) && !isAlias(to)) return false;
  if (from === to && source.connection.endpoint === destination.connection.endpoint) return true;
  const there = await destination.find({ bucket: to, key: first.key }, { signal });
  return there?.etag === first.etag && isSameSecond(there.lastModified, first.lastModified);
}

async function openManifest(
  source: ManifestSource,
  spec: BatchSpec,
  { documents, signal }: { readonly documents: ChunkDeps["documents"]; readonly signal: AbortSignal },
): Promise<Opening> {
  // Read whole once: a document that is damaged or gone shows before anything runs.
  const lines = await countLines(await documents.read(source.manifest, { keep: true, signal }), source.format);
  if (lines === 0) return { note: `no object in manifest ${source.manifest.name}`, total: 0, cursors: [] };
  return {
    feed: true,
    cursors: [JSON.stringify({ offset: 0, line: 0 })],
    ...(takesAll(spec) && { total: lines }),
  };
}
