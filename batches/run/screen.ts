import { keyProblem } from "../../model/object-key.ts";
import { changesInPlace, isInPlace, prefixSource } from "../spec/request.ts";
import { bucketAt } from "../state/chunk-manifest.ts";
import { OPEN } from "./outcomes.ts";
import { type ChunkWork, destinationKeyAt, isOneBucket } from "./work.ts";

/**
 * Must be restored before they can be read, which a dry run counts by the listed class. https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html
 * Intelligent-Tiering's archive tiers show only when a copy is refused: `InvalidObjectState`.
 */
const ARCHIVED: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE"]);

export function isArchived(storageClass: string | undefined): boolean {
  return storageClass !== undefined && ARCHIVED.has(storageClass);
}

/** Decides, without a request, on all objects that cannot or must not be worked on. */
export function screenObjects(work: ChunkWork): void {
  const { manifest, outcomes } = work;
  for (const [index, code, message] of manifest.refusals ?? [])
    if (outcomes.status[index] === OPEN) outcomes.failed(index, { code, message });
  const taken = takenDestinations(work);
  for (let index = 0; index < manifest.keys.length; index++) {
    if (outcomes.status[index] !== OPEN) continue;
    const refusal = taken.get(index) ?? refusalOf(work, index);
    if (refusal !== undefined) outcomes.failed(index, refusal);
    else if (isItself(work, index))
      outcomes.skipped(index, {
        code: "SameObject",
        message: "SameObject: source and destination are one object, nothing to do",
      });
  }
}

/**
 * Lists may send two objects to one key; the second copy would overwrite the first, whose source a move has deleted by then. The first in the
 * list goes there, in every delivery. Prefixes map every key to one of its own.
 */
function takenDestinations(work: ChunkWork): ReadonlyMap<number, { code: string; message: string }> {
  const taken = new Map<number, { code: string; message: string }>();
  const { spec, manifest } = work;
  if (spec.operation === "delete" || prefixSource(spec) !== undefined) return taken;
  const nameAt = (index: number): string => {
    const version = manifest.versions?.[index];
    const suffix = typeof version === "string" ? ` version ${version}` : "";
    return `${bucketAt(manifest, index)}/${manifest.keys[index] ?? ""}${suffix}`;
  };
  const first = new Map<string, string>();
  for (let index = 0; index < manifest.keys.length; index++) {
    const to = destinationKeyAt(work, index) ?? "";
    const before = first.get(to);
    if (before === undefined) first.set(to, nameAt(index));
    else if (before !== nameAt(index)) {
      const message = `DestinationTaken: ${to} is where s3://${before} goes in this batch; expected a destination of its own`;
      taken.set(index, { code: "DestinationTaken", message });
    }
  }
  return taken;
}

/** What becomes of an object that the store does not let anybody read before it is restored. */
export function settleArchived({ spec, outcomes }: ChunkWork, index: number, storageClass: string): void {
  const remark = {
    code: "Archived",
    message: `Archived: expected an object that can be read, this one is in ${storageClass}`,
  };
  if (spec.archived === "skip") outcomes.skipped(index, remark);
  else outcomes.failed(index, remark);
}

function refusalOf(work: ChunkWork, index: number): { code: string; message: string } | undefined {
  const { manifest, spec } = work;
  const key = manifest.keys[index] ?? "";
  const unsafe = keyProblem(key);
  if (unsafe !== undefined) return { code: "UnsafeKey", message: `UnsafeKey: ${unsafe}` };
  const to = destinationKeyAt(work, index);
  const unsafeTo = to === undefined || to === key ? undefined : keyProblem(to);
  if (unsafeTo !== undefined) return { code: "UnsafeKey", message: `UnsafeKey: destination: ${unsafeTo}` };
  if (to !== undefined && landsInSource(work, to))
    return { code: "BatchOverlap", message: `BatchOverlap: the destination ${to} lies inside the source prefix` };
  if (!work.mayTouch(index))
    return {
      code: "PolicyDenied",
      message: `PolicyDenied: the profile's policy does not allow to ${spec.operation} this object`,
    };
  return undefined;
}

/** A copy among the sources would overwrite one that is still to be read, and be listed itself. */
function landsInSource({ spec, source, destination }: ChunkWork, to: string): boolean {
  const from = prefixSource(spec);
  return (
    from !== undefined &&
    !isInPlace(spec) &&
    isOneBucket(source, destination, from.bucket, spec.destination?.bucket) &&
    to.startsWith(from.prefix)
  );
}

function isItself(work: ChunkWork, index: number): boolean {
  const { spec, manifest, source, destination } = work;
  if (spec.destination === undefined || typeof manifest.versions?.[index] === "string") return false;
  // A copy onto itself is how S3 changes what is said of an object.
  if (changesInPlace(spec)) return false;
  return (
    destinationKeyAt(work, index) === manifest.keys[index] &&
    isOneBucket(source, destination, bucketAt(manifest, index), spec.destination.bucket)
  );
}
