import type { World } from "../storage/world.ts";
import type { Call } from "./call.ts";
import { S3Error } from "./s3-error.ts";

/**
 * Headers of features that the sandbox does not have. To ignore them would be to do something else than was asked: a delete on
 * condition would delete without one.
 */
const MISSING = [
  // Appending, renaming: directory buckets too.
  "x-amz-write-offset-bytes",
  "x-amz-rename-source-if-match",
  "x-amz-rename-source-if-none-match",
  // MFA delete.
  "x-amz-mfa",
  // Routes of Object Lambda.
  "x-amz-request-route",
] as const;

/** Conditions of directory buckets: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html */
const DELETE_DATES = ["x-amz-if-match-last-modified-time", "x-amz-if-match-size"] as const;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html: a PUT's headers are limited to 8 KB */
const MAX_HEADER_BYTES = 8 * 1024;

/** Refuses what would have to be ignored, and more headers than S3 takes. @throws S3Error NotImplemented, RequestHeaderSectionTooLarge */
export function checkHeaders({ headers, method, request }: Call, { enforce }: World): void {
  if (method === "PUT" || method === "POST") checkSize(request.rawHeaders);
  for (const name of enforce.deleteDates ? MISSING : [...MISSING, ...DELETE_DATES]) {
    if (headers[name] !== undefined) {
      throw new S3Error("NotImplemented", "A header you provided implies functionality that is not implemented", {
        elements: { Header: name },
      });
    }
  }
}

function checkSize(rawHeaders: readonly string[]): void {
  let size = 0;
  // Each name and value comes with two more bytes: a colon and a space, or the line's end.
  for (const text of rawHeaders) size += text.length + 2;
  if (size <= MAX_HEADER_BYTES) return;
  throw new S3Error(
    "RequestHeaderSectionTooLarge",
    "Your request header section exceeds the maximum allowed request header section size",
    { elements: { MaxSizeAllowed: String(MAX_HEADER_BYTES) } },
  );
}
