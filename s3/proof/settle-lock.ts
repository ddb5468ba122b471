import { PutObjectLegalHoldCommand, PutObjectRetentionCommand } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import type { ObjectLock } from "../../model/attributes/object-lock.ts";
import type { ObjectRef } from "../../model/entities.ts";
import { nameOf } from "../error-mapping.ts";
import type { Call } from "../interface.ts";
import { ownedBy } from "../options.ts";
import type { AttributeInput } from "../requests/attributes/input.ts";
import { findFacts } from "../requests/head.ts";
import type { Store } from "../store.ts";
import { send } from "../transport/send.ts";

/** Whether one lock holds at least as much as another, for at least as long. */
export function isAsStrong(got: ObjectLock | undefined, wanted: ObjectLock): boolean {
  if (wanted.legalHold === true && got?.legalHold !== true) return false;
  if (wanted.retainUntil === undefined) return true;
  // Some stores keep whole seconds.
  return got?.mode === wanted.mode && Date.parse(got?.retainUntil ?? "") > Date.parse(wanted.retainUntil) - 1000;
}

/** The lock that a write asks for. */
export function lockOfWrite(input: AttributeInput): ObjectLock {
  const { ObjectLockMode: mode, ObjectLockRetainUntilDate: date, ObjectLockLegalHoldStatus: hold } = input;
  return {
    ...(mode !== undefined && date !== undefined && { mode, retainUntil: date.toISOString() }),
    ...(hold === "ON" && { legalHold: true }),
  };
}

/**
 * Sees to it that an object just written has its lock: Ceph's gateway, for one, takes it with an upload in parts and drops it without a word. AWS keeps
 * it, so it is not asked.
 */
export async function settleLock(store: Store, object: ObjectRef, wanted: ObjectLock, call: Call): Promise<void> {
  if (store.connection.endpoint === undefined || Object.keys(wanted).length === 0) return;
  const isLocked = async (): Promise<boolean> =>
    isAsStrong((await findFacts(store, { object }, call))?.details.objectLock, wanted);
  if (await isLocked()) return;
  const { bucket, key, versionId } = object;
  const target = { Bucket: bucket, Key: key, VersionId: versionId, ...ownedBy(store) };
  const { mode, retainUntil, legalHold } = wanted;
  if (mode !== undefined && retainUntil !== undefined) {
    const Retention = { Mode: mode, RetainUntilDate: new Date(retainUntil) };
    const make = () => new PutObjectRetentionCommand({ ...target, Retention });
    await send(store, make, { operation: "PutObjectRetention", bucket, key, versionId }, call);
  }
  if (legalHold === true) {
    const make = () => new PutObjectLegalHoldCommand({ ...target, LegalHold: { Status: "ON" } });
    await send(store, make, { operation: "PutObjectLegalHold", bucket, key, versionId }, call);
  }
  if (await isLocked()) return;
  throw new ActivityError(
    "VerificationFailed",
    `expected ${nameOf(object)} to have its lock, the store does not keep it`,
  );
}
