import { GetBucketVersioningCommand } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import type { ObjectRef } from "../../model/entities.ts";
import { nameOf } from "../error-mapping.ts";
import type { Call } from "../interface.ts";
import { ownedBy } from "../options.ts";
import type { Store } from "../store.ts";
import { send } from "../transport/send.ts";
import { findFacts } from "./head.ts";

/**
 * Throws where a plain delete would remove for good a version that nobody copied: in a bucket whose versioning is suspended it replaces the null
 * version, which may lie below the current one. Where it cannot be told whether versioning is suspended, a null version below counts as endangered.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectsfromVersioningSuspendedBuckets.html
 *
 * @param current what a HEAD just found at the key
 */
export async function refuseLossOfNullVersion(store: Store, current: ObjectRef, call: Call): Promise<void> {
  const { bucket, key, versionId } = current;
  if (versionId === undefined || versionId === "null") return;
  if (await keepsVersions(store, bucket, call)) return;
  if (!(await hasNullVersion(store, { bucket, key }, call))) return;
  throw new ActivityError(
    "NullVersionAtRisk",
    `versioning of ${bucket} is suspended, and below version ${versionId} of ${nameOf({ bucket, key })} lies a null version that a delete would remove for good; ` +
      "expected the version to be named (versionId), or none below it. Nothing was deleted",
  );
}

/** Whether a plain delete only hides what is there. False also where nobody may tell. */
export async function keepsVersions(store: Store, bucket: string, call: Call): Promise<boolean> {
  if (store.keepsVersions.has(bucket)) return true;
  const make = (): GetBucketVersioningCommand => new GetBucketVersioningCommand({ Bucket: bucket, ...ownedBy(store) });
  try {
    const { Status } = await send(store, make, { operation: "GetBucketVersioning", bucket }, call);
    if (Status !== "Enabled") return false;
    store.keepsVersions.add(bucket);
    return true;
  } catch (error) {
    call.signal.throwIfAborted();
    if (error instanceof ActivityError && error.retryable) throw error;
    return false;
  }
}

async function hasNullVersion(store: Store, { bucket, key }: ObjectRef, call: Call): Promise<boolean> {
  try {
    return (await findFacts(store, { object: { bucket, key, versionId: "null" } }, call)) !== undefined;
  } catch (error) {
    // The null version is a delete marker, which has no content to lose.
    if (error instanceof ActivityError && error.httpStatus === 405) return false;
    throw error;
  }
}

/**
 * Throws `VersionIgnored` where the store does not know versions by name: it would delete whatever is current. Looks once in a while for a bucket, and
 * not at all at AWS.
 *
 * @returns false where there is no such version
 */
export async function findVersion(store: Store, object: ObjectRef, call: Call): Promise<boolean> {
  if (store.connection.endpoint === undefined || store.namesVersions.has(object.bucket)) return true;
  try {
    return (await findFacts(store, { object }, call)) !== undefined;
  } catch (error) {
    // A delete marker, which HEAD does not show. https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
    if (error instanceof ActivityError && error.httpStatus === 405) return true;
    throw error;
  }
}
