import type { Bucket } from "../../storage/bucket.ts";
import { decodePercent, header, type Call } from "../../http/call.ts";
import { failedCondition } from "../../storage/conditions.ts";
import { checkCustomerKey, readCustomerKey } from "../../http/encryption.ts";
import { noSuchKey, preconditionFailed, S3Error } from "../../http/s3-error.ts";
import type { StoredObject } from "../../storage/stored-object.ts";
import { authorizeSource, checkExpectedOwner, findBucket, openBucket } from "../../auth/access.ts";
import type { World } from "../../storage/world.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html: 1,024 bytes of UTF-8 */
const MAX_KEY_BYTES = 1024;

export function checkKey(key: string): void {
  // No character takes more than three bytes per UTF-16 unit.
  if (key.length * 3 <= MAX_KEY_BYTES) return;
  const size = Buffer.byteLength(key);
  if (size > MAX_KEY_BYTES) {
    throw new S3Error("KeyTooLongError", "Your key is too long", {
      elements: { Size: String(size), MaxSizeAllowed: String(MAX_KEY_BYTES) },
    });
  }
}

/** The version that a request names, unless the store is one that ignores it. */
export function requestedVersion(call: Call, world: World): string | undefined {
  return world.quirks.ignoredVersionIds ? undefined : call.query.get("versionId");
}

/** The version a read means. @throws S3Error NoSuchKey, NoSuchVersion, MethodNotAllowed (a delete marker) */
export function findObject(bucket: Bucket, key: string, versionId: string | undefined): StoredObject {
  const object = versionId === undefined ? bucket.head(key) : bucket.version(key, versionId);
  if (object === undefined) {
    if (versionId === undefined) throw noSuchKey(key);
    throw new S3Error("NoSuchVersion", "The specified version does not exist.", {
      elements: { Key: key, VersionId: versionId },
    });
  }
  if (!object.deleteMarker) return object;
  const headers = { "x-amz-delete-marker": "true", "x-amz-version-id": object.versionId ?? "null" };
  if (versionId === undefined)
    throw new S3Error("NoSuchKey", "The specified key does not exist.", { elements: { Key: key }, headers });
  throw new S3Error("MethodNotAllowed", "The specified method is not allowed against this resource.", {
    elements: { Method: "GET", ResourceType: "DeleteMarker" },
    headers: { ...headers, Allow: "DELETE" },
  });
}

/** The object that a request names, of a bucket that the caller may reach. @throws S3Error as `openBucket` and `findObject` do */
export function openObject(call: Call, world: World): { bucket: Bucket; object: StoredObject } {
  const bucket = openBucket(world, call);
  checkKey(call.key);
  return { bucket, object: findObject(bucket, call.key, requestedVersion(call, world)) };
}

/** True for what cannot be read before it is restored. */
export function isArchived({ facts: { storageClass } }: StoredObject): boolean {
  return storageClass === "GLACIER" || storageClass === "DEEP_ARCHIVE";
}

/** Archived objects cannot be read or copied before they are restored. @throws S3Error InvalidObjectState */
export function checkArchived(object: StoredObject): void {
  if (!isArchived(object) || (object.restored !== undefined && object.restored.until > Date.now())) return;
  const { storageClass } = object.facts;
  throw new S3Error("InvalidObjectState", "The operation is not valid for the object's storage class", {
    elements: { StorageClass: storageClass },
  });
}

/**
 * Splits `x-amz-copy-source`: URL-encoded bucket and key, then perhaps `?versionId=`. A bare `+` is a space there, as clients
 * that forgot to encode it found out: https://github.com/aws/aws-sdk-js/issues/1821
 */
export function parseCopySource(source: string): { bucket: string; key: string; versionId: string | undefined } {
  const mark = source.indexOf("?");
  const path = decodePercent((mark < 0 ? source : source.slice(0, mark)).replaceAll("+", " ")).replace(/^\//, "");
  const version = mark < 0 ? undefined : /^versionId=(.+)$/.exec(source.slice(mark + 1))?.[1];
  const slash = path.indexOf("/");
  if (slash < 1 || slash === path.length - 1) {
    throw new S3Error("InvalidArgument", "Invalid copy source object key", {
      elements: { ArgumentName: "x-amz-copy-source", ArgumentValue: "x-amz-copy-source" },
    });
  }
  if (mark >= 0 && version === undefined) {
    throw new S3Error("InvalidArgument", "Version id cannot be the empty string", {
      elements: { ArgumentName: "x-amz-copy-source", ArgumentValue: source },
    });
  }
  return {
    bucket: path.slice(0, slash),
    key: path.slice(slash + 1),
    versionId: version === undefined ? undefined : decodePercent(version),
  };
}

export type CopySource = { bucket: Bucket; key: string; object: StoredObject };

/** The source of a copy under the name that was asked for, with its conditions, owner, encryption and storage class checked. */
export function openCopySource(call: Call, world: World): CopySource {
  const source = parseCopySource(header(call, "x-amz-copy-source") ?? "");
  const bucket = findBucket(world, source.bucket);
  checkExpectedOwner(bucket, header(call, "x-amz-source-expected-bucket-owner"));
  const versionId = world.quirks.ignoredVersionIds ? undefined : source.versionId;
  authorizeSource(call, bucket, { key: source.key, versionId });
  const object = findCopied(bucket, source.key, versionId);
  checkArchived(object);
  checkCustomerKey(
    object.facts.encryption,
    readCustomerKey(call, "x-amz-copy-source-server-side-encryption-customer-"),
  );
  if (world.enforce.copySource) checkSource(call, object);
  return { bucket, key: source.key, object };
}

function findCopied(bucket: Bucket, key: string, versionId: string | undefined): StoredObject {
  const object = versionId === undefined ? bucket.head(key) : bucket.version(key, versionId);
  if (object?.deleteMarker && versionId !== undefined) {
    throw new S3Error(
      "InvalidRequest",
      "The source of a copy request may not specifically refer to a delete marker by version id.",
    );
  }
  return findObject(bucket, key, versionId);
}

function checkSource(call: Call, object: StoredObject): void {
  const failed = failedCondition(
    {
      ifMatch: header(call, "x-amz-copy-source-if-match"),
      ifNoneMatch: header(call, "x-amz-copy-source-if-none-match"),
      ifModifiedSince: header(call, "x-amz-copy-source-if-modified-since"),
      ifUnmodifiedSince: header(call, "x-amz-copy-source-if-unmodified-since"),
    },
    object,
  );
  if (failed !== undefined)
    throw preconditionFailed(
      `x-amz-copy-source-${failed.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replace(/^if/, "If")}`,
    );
}
