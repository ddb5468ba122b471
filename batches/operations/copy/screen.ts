import { changesInPlace, isInPlace, prefixSource } from "../../spec/request.ts";
import { bucketAt } from "../../state/chunk-manifest.ts";
import { type ChunkWork, destinationKeyAt, isOneBucket, type Screened } from "../../run/work.ts";

/** Objects that may not go where they are sent, or are there already. */
export function screenDestinations(work: ChunkWork): (index: number) => Screened | undefined {
  const taken = takenDestinations(work);
  return (index) => {
    const to = destinationKeyAt(work, index) ?? "";
    if (taken.has(index)) return taken.get(index);
    if (landsInSource(work, to))
      return { code: "BatchOverlap", message: `BatchOverlap: the destination ${to} lies inside the source prefix` };
    if (!isItself(work, index)) return undefined;
    const message = "SameObject: source and destination are one object, nothing to do";
    return { code: "SameObject", message, skip: true };
  };
}

/**
 * Lists may send two objects to one key; the second copy would overwrite the first, whose source a move has deleted by then. The first in the
 * list goes there, in every delivery. Prefixes map every key to one of its own.
 */
function takenDestinations(work: ChunkWork): ReadonlyMap<number, Screened> {
  const taken = new Map<number, Screened>();
  const { spec, manifest } = work;
  if (prefixSource(spec) !== undefined) return taken;
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
  if (typeof manifest.versions?.[index] === "string") return false;
  // A copy onto itself is how S3 changes what is said of an object.
  if (changesInPlace(spec)) return false;
  return (
    destinationKeyAt(work, index) === manifest.keys[index] &&
    isOneBucket(source, destination, bucketAt(manifest, index), spec.destination?.bucket)
  );
}
