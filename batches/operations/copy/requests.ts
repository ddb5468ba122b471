import { keepsByLook } from "../../../model/entities.ts";
import type { ChunkWork } from "../../run/work.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;
const PART = 64 * 1024 ** 2;

/** Requests for the copy of one object, as far as its listing tells. */
export function copyRequests({ manifest, source, destination, spec }: ChunkWork, index: number): number {
  const size = manifest.sizes[index] ?? -1;
  const look = (manifest.etags[index] ?? "") === "" || size < 0 ? 1 : 0;
  const large = size > destination.connection.multipartThreshold;
  const copy = large ? Math.min(MAX_PARTS, Math.ceil(size / PART)) + 2 : 1;
  const free = keepsByLook(destination.connection, spec.onConflict) ? 1 : 0;
  return look + free + copy + (source === destination ? 0 : 1);
}
