import { GetBucketOwnershipControlsCommand, GetObjectAclCommand, type Grant } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import type { ObjectRef } from "../../model/entities.ts";
import type { AccessList, Call, Grants } from "../interface.ts";
import { ownedBy } from "../options.ts";
import type { Store } from "../store.ts";
import type { MayHave } from "../transport/bucket-answers.ts";
import { send } from "../transport/send.ts";

/** Permissions by the names that headers of a write have for them. WRITE means nothing of an object. */
const HEADERS = {
  FULL_CONTROL: "GrantFullControl",
  READ: "GrantRead",
  READ_ACP: "GrantReadACP",
  WRITE_ACP: "GrantWriteACP",
} as const;

/**
 * Whether objects of a bucket may have access lists of their own. Of new buckets of AWS the owner has all rights by itself, and there are none.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
 */
export async function mayHaveAcls(store: Store, bucket: string, call: Call): Promise<MayHave> {
  return await store.acls.ask(bucket, () => askOwnership(store, bucket, call));
}

async function askOwnership(store: Store, bucket: string, call: Call): Promise<MayHave> {
  const make = () => new GetBucketOwnershipControlsCommand({ Bucket: bucket, ...ownedBy(store) });
  let answer: MayHave = "yes";
  try {
    const { OwnershipControls } = await send(store, make, { operation: "GetBucketOwnershipControls", bucket }, call);
    if (OwnershipControls?.Rules?.some(({ ObjectOwnership }) => ObjectOwnership === "BucketOwnerEnforced") === true)
      answer = "no";
  } catch (error) {
    if (!isBroken(error)) refuseUnanswered(error, call);
    // A bucket without such a rule, a store that knows none, or nobody may ask: the object itself will tell.
  }
  return answer;
}

/**
 * The access list of an object, where it gives anybody but the owner anything; `unread` where it may not be read.
 *
 * @param must it has to be known: where the store breaks down over it, that is an error
 */
export async function accessListOf(
  store: Store,
  object: ObjectRef,
  must: boolean,
  call: Call,
): Promise<AccessList | "unread" | undefined> {
  const { bucket, key, versionId } = object;
  const may = await mayHaveAcls(store, bucket, call);
  if (may !== "yes") return may === "no" ? undefined : "unread";
  const make = () => new GetObjectAclCommand({ Bucket: bucket, Key: key, VersionId: versionId, ...ownedBy(store) });
  try {
    const { Owner, Grants } = await send(store, make, { operation: "GetObjectAcl", bucket, key, versionId }, call);
    const owner = Owner?.ID ?? "";
    // Stores without access lists answer with a form that names nobody.
    if (owner === "") {
      store.acls.set(bucket, "no");
      return undefined;
    }
    const others = (Grants ?? []).filter(({ Grantee }) => Grantee?.ID !== owner);
    return others.length === 0 ? undefined : { others: asHeaders(others), all: asHeaders(Grants ?? []) };
  } catch (error) {
    if (!must && isBroken(error)) {
      store.learned.learn("acls-unread");
      return "unread";
    }
    refuseUnanswered(error, call);
    // The copy says what there is to say of it.
    if (error instanceof ActivityError && error.httpStatus === 404) return undefined;
    const denied = error instanceof ActivityError && error.httpStatus === 403;
    store.acls.set(bucket, denied ? "unknown" : "no");
    if (!denied) return undefined;
    store.learned.learn("acls-unread");
    return "unread";
  }
}

/** A store that fails at a question that it does not know, or answers another one, is not one that fails. */
export function isBroken(error: unknown): boolean {
  return error instanceof ActivityError && (error.httpStatus === 500 || error.code === "UnprovenResponse");
}

/** What may be answered another time is no answer. */
export function refuseUnanswered(error: unknown, call: Call): void {
  call.signal.throwIfAborted();
  if (!(error instanceof ActivityError) || error.retryable) throw error;
}

function asHeaders(grants: readonly Grant[]): Grants {
  const headers: Record<string, string> = {};
  for (const { Grantee, Permission } of grants) {
    const header = HEADERS[Permission as keyof typeof HEADERS] as string | undefined; // WRITE, and whatever else a store has, has none
    const who = Grantee?.URI === undefined ? `id="${Grantee?.ID ?? ""}"` : `uri="${Grantee.URI}"`;
    if (header !== undefined) headers[header] = [...(headers[header]?.split(", ") ?? []), who].toSorted().join(", ");
  }
  return headers;
}
