import { ActivityError } from "../../model/activity-error.ts";
import { quoteEtag } from "../../model/etag.ts";
import type { Store } from "../store.ts";

/** What the store is to compare before it deletes; an ETag may be `*`. */
export type DeleteConditions = {
  readonly etag: string;
  readonly size?: number | undefined;
  readonly lastModified?: string | undefined;
};

/**
 * What a pinned object is deleted under where the store enforces conditions. An ETag alone is met by the same bytes written again; date and size are not.
 * AWS knows those in directory buckets alone; of other stores some enforce them and most ignore them, and one that takes none is sent none from then on.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
 */
export function conditionsFor(
  { connection, learned }: Store,
  bucket: string,
  { etag, size, lastModified }: DeleteConditions,
): DeleteConditions | undefined {
  if (!connection.conditionalDelete) return undefined;
  const mayCompareDates = connection.endpoint !== undefined || bucket.endsWith("--x-s3");
  if (!mayCompareDates || learned.has("delete-dates-unknown") || size === undefined || lastModified === undefined)
    return { etag };
  return { etag, size, lastModified };
}

export const isDated = (conditions: DeleteConditions | undefined): boolean => conditions?.lastModified !== undefined;

/** As DeleteObject is told of them; a date to the second, as HTTP has it. */
export function conditionHeaders(conditions: DeleteConditions | undefined): Record<string, string> {
  if (conditions === undefined) return {};
  const { etag, size, lastModified } = conditions;
  return {
    "if-match": quoteEtag(etag),
    ...(size !== undefined && { "x-amz-if-match-size": String(size) }),
    ...(lastModified !== undefined && { "x-amz-if-match-last-modified-time": new Date(lastModified).toUTCString() }),
  };
}

const UNKNOWN: ReadonlySet<string> = new Set(["NotImplemented", "MalformedXML", "InvalidArgument"]);

/** Whether the store may know no such condition. Nothing was deleted then. */
export function isUnknownCondition(error: unknown): boolean {
  return error instanceof ActivityError && (error.httpStatus === 501 || UNKNOWN.has(error.code));
}
