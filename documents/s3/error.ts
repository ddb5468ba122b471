import { ActivityError } from "../../model/activity-error.ts";
import { foreignCode } from "../../model/error-codes.ts";
import { diskFull } from "../errors.ts";

/** How S3-compatible stores say that they are full: Ceph, MinIO and its heirs, and HTTP's own status. */
const FULL = new Set(["QuotaExceeded", "XMinioStorageFull", "StorageFull", "InsufficientStorage"]);

/** Client errors by status that go by themselves. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const PASSING = new Set([
  "RequestTimeout",
  "SlowDown",
  "Throttling",
  "ThrottlingException",
  "TooManyRequests",
  "ExpiredToken",
  // The upload was aborted under its writer; another write starts anew.
  "NoSuchUpload",
]);

/** Turns an error of the SDK into ours; anything else passes unchanged. */
export function s3StoreError(error: unknown, location: string, doing: string): unknown {
  if (!(error instanceof Error) || error instanceof ActivityError) return error;
  const { status, requestId } = answerOf(error);
  const sentence = `${location} could not ${doing}: ${error.message || error.name}`;
  if (status === undefined) {
    return new ActivityError("DocumentStoreFailed", sentence, { retryable: isNetwork(error), cause: error });
  }
  if (FULL.has(error.name) || status === 507) return diskFull(location, error);
  return new ActivityError(foreignCode(error.name), sentence, {
    retryable: status >= 500 || status === 429 || PASSING.has(error.name),
    httpStatus: status,
    requestId,
    cause: error,
  });
}

/** The answer said that there is no such object. A missing bucket is another matter. */
export function isNoObject(error: unknown): boolean {
  return error instanceof Error && error.name !== "NoSuchBucket" && answerOf(error).status === 404;
}

/** An answer that is none of S3's: a proxy's page, an empty body. */
export function unbelievable(location: string, doing: string, problem: string): ActivityError {
  return new ActivityError("DocumentStoreFailed", `${location} could not ${doing}: ${problem}`, { retryable: true });
}

function answerOf(error: Error): { readonly status?: number | undefined; readonly requestId?: string | undefined } {
  // The SDK's errors carry $metadata; where they do not, every field of it is absent.
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number; requestId?: string } };
  return { status: $metadata?.httpStatusCode, requestId: $metadata?.requestId };
}

/** No answer, or half of one: Node's own codes, or one of the request handler's timeouts. */
function isNetwork(error: Error): boolean {
  return error.name === "TimeoutError" || ("code" in error && /^(E[A-Z]+|UND_ERR_|ERR_)/.test(String(error.code)));
}
