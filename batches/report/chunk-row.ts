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

/** Writes rows as lines of NDJSON. Put together by hand, with what is the same in all of them only once: this runs for every object of every batch. */
export function createRowWriter(context: RowContext): (index: number) => string {
  const { manifest, destinationBucket } = context;
  const head = typeof manifest.bucket === "string" ? openingOf(manifest.bucket) : undefined;
  const goesTo =
    destinationBucket === undefined
      ? ""
      : `,"destinationBucket":${JSON.stringify(destinationBucket)},"destinationKey":`;
  return (index) => rowLine(context, index, head ?? openingOf(bucketAt(manifest, index)), goesTo);
}

function openingOf(bucket: string): string {
  return `{"bucket":${JSON.stringify(bucket)},"key":`;
}

function rowLine(context: RowContext, index: number, head: string, goesTo: string): string {
  const { manifest, outcomes, destinationKeyAt, bestEffort } = context;
  const versionId = manifest.versions?.[index];
  const remark = outcomes.remarks.get(index);
  const size = outcomes.pins.get(index)?.size ?? manifest.sizes[index] ?? -1;
  const etag = outcomes.etags[index] ?? (goesTo === "" ? manifest.etags[index] : undefined);
  const verified = outcomes.verifiedAt(index);
  let line = head + JSON.stringify(manifest.keys[index] ?? "");
  if (typeof versionId === "string") line += `,"versionId":${JSON.stringify(versionId)}`;
  line += `,"status":"${STATUS_NAMES[outcomes.status[index] ?? UNATTEMPTED] ?? "unattempted"}"`;
  if (remark !== undefined) {
    line += `,"code":${JSON.stringify(remark.code)}`;
    if (remark.httpStatus !== undefined) line += `,"httpStatus":${remark.httpStatus}`;
    line += `,"message":${JSON.stringify(remark.message)}`;
  }
  if (goesTo !== "") line += goesTo + JSON.stringify(destinationKeyAt(index) ?? "");
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
