import { noSuchKey, preconditionFailed, S3Error } from "../http/s3-error.ts";
import type { StoredObject } from "./stored-object.ts";

/** The four conditional headers of RFC 9110, under whichever names they came. */
export type Conditions = {
  ifMatch?: string | undefined;
  ifNoneMatch?: string | undefined;
  ifModifiedSince?: string | undefined;
  ifUnmodifiedSince?: string | undefined;
};

/** Which condition does not hold, or undefined when all do. ETag conditions outrank the dates, as S3 documents for each operation. */
export function failedCondition(conditions: Conditions, object: StoredObject): keyof Conditions | undefined {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  if (ifMatch !== undefined) {
    if (!matchesEtag(ifMatch, object.etag)) return "ifMatch";
  } else if (ifUnmodifiedSince !== undefined && object.lastModified > Date.parse(ifUnmodifiedSince)) {
    return "ifUnmodifiedSince";
  }
  if (ifNoneMatch !== undefined) {
    if (matchesEtag(ifNoneMatch, object.etag)) return "ifNoneMatch";
  } else if (ifModifiedSince !== undefined && object.lastModified <= Date.parse(ifModifiedSince)) {
    return "ifModifiedSince";
  }
  return undefined;
}

/** `*`, one ETag or a list; quotes may be missing, as S3 allows. */
export function matchesEtag(condition: string, etag: string): boolean {
  if (condition === "*") return true;
  return condition.split(",").some(
    (one) =>
      one
        .trim()
        .replace(/^W\//, "")
        .replace(/^"(.*)"$/, "$1") === etag,
  );
}

/**
 * Conditions on what a write would replace.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 *
 * @throws S3Error PreconditionFailed, NoSuchKey (If-Match and nothing there), NotImplemented (If-None-Match other than `*`)
 */
export function checkWrite(
  key: string,
  current: StoredObject | undefined,
  conditions: { ifMatch?: string | undefined; ifNoneMatch?: string | undefined },
): void {
  const { ifMatch, ifNoneMatch } = conditions;
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch !== "*") {
      throw new S3Error("NotImplemented", "A header you provided implies functionality that is not implemented", {
        elements: {
          Header: "If-None-Match",
          additionalMessage: "We don't accept the provided value of If-None-Match header for this API",
        },
      });
    }
    if (current !== undefined) throw preconditionFailed("If-None-Match");
  }
  if (ifMatch !== undefined) {
    if (current === undefined) throw noSuchKey(key);
    if (!matchesEtag(ifMatch, current.etag)) throw preconditionFailed("If-Match");
  }
}

/** What a delete may be conditioned on; the date and size as they came, a date to the second. */
export type DeleteConditions = {
  etag?: string | undefined;
  lastModified?: string | undefined;
  size?: string | undefined;
};

/**
 * Conditions of a delete, checked against the current version only.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
 * and, for date and size, https://docs.aws.amazon.com/AmazonS3/latest/API/API_ObjectIdentifier.html
 *
 * @throws S3Error PreconditionFailed, NoSuchKey
 */
export function checkDelete(key: string, head: StoredObject | undefined, conditions: DeleteConditions): void {
  const { etag, lastModified, size } = conditions;
  if (etag === undefined && lastModified === undefined && size === undefined) return;
  if (head === undefined) throw noSuchKey(key);
  if (head.deleteMarker || (etag !== undefined && !matchesEtag(etag, head.etag))) throw preconditionFailed("If-Match");
  if (
    lastModified !== undefined &&
    Math.floor(head.lastModified / 1000) !== Math.floor(Date.parse(lastModified) / 1000)
  )
    throw preconditionFailed("x-amz-if-match-last-modified-time");
  if (size !== undefined && head.body.size !== Number(size)) throw preconditionFailed("x-amz-if-match-size");
}
