import { bucketAt, type ChunkManifest } from "../state/chunk-manifest.ts";
import { type ChunkOutcomes, FAILED, SKIPPED, SUCCEEDED, UNATTEMPTED } from "../run/outcomes.ts";
import type { RowStatus } from "./row.ts";

const STATUS_NAMES: Readonly<Record<number, RowStatus>> = {
  [SUCCEEDED]: "succeeded",
  [FAILED]: "failed",
  [SKIPPED]: "skipped",
  [UNATTEMPTED]: "unattempted",
};

export type RowContext = {
  readonly manifest: ChunkManifest;
  readonly outcomes: ChunkOutcomes;
  /** Absent for a delete. */
  readonly destinationBucket: string | undefined;
  readonly destinationKeyAt: (index: number) => string | undefined;
  /** Sources were deleted after a HEAD instead of under a condition. */
  readonly bestEffort: boolean;
};

/** One row as a line of NDJSON. Put together by hand: this runs for every object of every batch. */
export function rowLine(context: RowContext, index: number): string {
  const { manifest, outcomes, destinationBucket, destinationKeyAt, bestEffort } = context;
  const versionId = manifest.versions?.[index];
  const remark = outcomes.remarks.get(index);
  const size = outcomes.pins.get(index)?.size ?? manifest.sizes[index] ?? -1;
  const etag = outcomes.etags[index] ?? (destinationBucket === undefined ? manifest.etags[index] : undefined);
  const verified = outcomes.verifiedAt(index);
  let line = `{"bucket":${JSON.stringify(bucketAt(manifest, index))},"key":${JSON.stringify(manifest.keys[index] ?? "")}`;
  if (typeof versionId === "string") line += `,"versionId":${JSON.stringify(versionId)}`;
  line += `,"status":"${STATUS_NAMES[outcomes.status[index] ?? UNATTEMPTED] ?? "unattempted"}"`;
  if (remark !== undefined) {
    line += `,"code":${JSON.stringify(remark.code)}`;
    if (remark.httpStatus !== undefined) line += `,"httpStatus":${remark.httpStatus}`;
    line += `,"message":${JSON.stringify(remark.message)}`;
  }
  if (destinationBucket !== undefined)
    line += `,"destinationBucket":${JSON.stringify(destinationBucket)},"destinationKey":${JSON.stringify(destinationKeyAt(index) ?? "")}`;
  if (size >= 0) line += `,"bytes":${size}`;
  if (etag !== undefined && etag !== "") line += `,"etag":${JSON.stringify(etag)}`;
  if (verified !== undefined) line += `,"verified":"${verified}"`;
  if (bestEffort && outcomes.status[index] === SUCCEEDED) line += ',"guarantee":"best-effort"';
  return `${line}}\n`;
}

/** True for rows that a report of failures holds. */
export function isFailure(status: number): boolean {
  return status === FAILED || status === UNATTEMPTED;
}
