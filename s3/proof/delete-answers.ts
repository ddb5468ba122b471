// What the answer to a bulk delete says of each of its keys, and what it leaves open.
import type { DeleteObjectsOutput } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import { type About, isThrottle, isUnknownOutcome, nameOf, toActivityError } from "../error-mapping.ts";
import type { DeleteItem, DeleteOutcome } from "../interface.ts";

/** Names an item also where one key comes in several versions. */
export function identityOf({
  key,
  versionId,
}: {
  readonly key: string;
  readonly versionId?: string | undefined;
}): string {
  return `${versionId ?? ""}\n${key}`;
}

export function confirmations(answer: DeleteObjectsOutput, bucket: string): Map<string, DeleteOutcome> {
  const told = new Map<string, DeleteOutcome>();
  for (const { Key, VersionId } of answer.Deleted ?? []) {
    if (Key !== undefined) told.set(identityOf({ key: Key, versionId: VersionId }), { key: Key });
  }
  for (const { Key, VersionId, Code = "UnknownError", Message } of answer.Errors ?? []) {
    if (Key === undefined) continue;
    const identity = identityOf({ key: Key, versionId: VersionId });
    const gone = Code === "NoSuchKey" || Code === "NoSuchVersion";
    const about: About = { operation: "DeleteObjects", bucket, key: Key, versionId: VersionId };
    told.set(identity, gone ? { key: Key } : { key: Key, error: perKeyError(Code, Message, about) });
  }
  return told;
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
// A map: a store may call its errors as anything, `constructor` too.
const STATUS: ReadonlyMap<string, number> = new Map([
  ["AccessDenied", 403],
  ["PreconditionFailed", 412],
  ["SlowDown", 503],
  ["ServiceUnavailable", 503],
  ["InternalError", 500],
  ["OperationAborted", 409],
  ["ConditionalRequestConflict", 409],
]);

function perKeyError(code: string, message = "", about: About): ActivityError {
  return toActivityError({ name: code, message, $metadata: { httpStatusCode: STATUS.get(code) ?? 400 } }, about);
}

/** The ETag of an item is its condition, so a refused one means that the content is another. */
export function asSourceChanged(error: ActivityError, bucket: string, { key, etag }: DeleteItem): ActivityError {
  if (etag === undefined || (error.code !== "PreconditionFailed" && error.code !== "ConditionalRequestConflict"))
    return error;
  return new ActivityError(
    "SourceChanged",
    `expected ${nameOf({ bucket, key })} with ETag ${etag}, it is another now`,
    { httpStatus: 412, cause: error },
  );
}

/** @param cutOff a request before the one that failed had no answer, or this is not the answer to the first */
export function failed(key: string, error: ActivityError, cutOff: boolean): DeleteOutcome {
  const uncertain = cutOff || (isUnknownOutcome(error) && !isThrottle(error));
  return { key, error, ...(uncertain && { uncertain }) };
}

/** Whether the SDK sent the request more than once: an earlier one may have taken effect. */
export function isRepeated(thrown: unknown): boolean {
  const cause: unknown = thrown instanceof Error ? thrown.cause : undefined;
  return wasRepeated(cause) || wasRepeated(thrown);
}

export function wasRepeated(told: unknown): boolean {
  if (typeof told !== "object" || told === null || !("$metadata" in told)) return false;
  const { attempts } = told.$metadata as { readonly attempts?: number }; // the SDK's own
  return attempts !== undefined && attempts > 1;
}
