import { ActivityError } from "../../model/activity-error.ts";
import { diskFull } from "../errors.ts";

/** How S3-compatible stores say that they are full: Ceph, MinIO and its heirs, and HTTP's own status. */
const FULL = new Set(["QuotaExceeded", "XMinioStorageFull", "StorageFull", "InsufficientStorage"]);

/** No answer of the store, half of one, or one that is none of S3's: what failed is the way to the documents. */
const ON_THE_WAY = new Set(["NetworkError", "Timeout", "UnprovenResponse", "IncompleteBody", "InvalidRequest"]);

/** An error of the S3 room as one of the store of documents; anything else passes unchanged. */
export function s3StoreError(error: unknown, location: string, doing: string): unknown {
  if (!(error instanceof ActivityError) || /^(Document|DiskFull)/.test(error.code)) return error;
  const { code, retryable, httpStatus, requestId, message } = error;
  if (FULL.has(code) || httpStatus === 507) return diskFull(location, error);
  const sentence = `${location} could not ${doing}: ${message}`;
  if (ON_THE_WAY.has(code)) return new ActivityError("DocumentStoreFailed", sentence, { retryable, cause: error });
  return new ActivityError(code, sentence, { retryable, httpStatus, requestId, cause: error });
}

/** An answer that is none of S3's: a proxy's page, an empty body. */
export function unbelievable(location: string, doing: string, problem: string): ActivityError {
  return new ActivityError("DocumentStoreFailed", `${location} could not ${doing}: ${problem}`, { retryable: true });
}
