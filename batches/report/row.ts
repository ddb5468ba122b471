export const ROW_STATUSES = ["succeeded", "failed", "skipped", "unattempted"] as const;
export type RowStatus = (typeof ROW_STATUSES)[number];

/** What became of one object. Fields that say nothing are left out. */
export type ReportRow = {
  readonly bucket: string;
  /** Empty where a line of the manifest could not be read. */
  readonly key: string;
  readonly versionId?: string;
  readonly status: RowStatus;
  /** S3's error code or ours. */
  readonly code?: string;
  readonly httpStatus?: number;
  readonly message?: string;
  readonly destinationBucket?: string;
  readonly destinationKey?: string;
  readonly bytes?: number;
  /** The destination's, or of a delete the source's. */
  readonly etag?: string;
  /** What proved the copy. */
  readonly verified?: "etag" | "checksum" | "size";
  /** The store does not enforce conditions: a HEAD just before the delete said that the source was unchanged. */
  readonly guarantee?: "best-effort";
};
