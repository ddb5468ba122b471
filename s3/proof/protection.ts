import { GetObjectLockConfigurationCommand } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import type { NotCarried, Protect } from "../../model/attributes/carried.ts";
import type { ObjectRef } from "../../model/entities.ts";
import type { ObjectLock } from "../../model/attributes/object-lock.ts";
import { nameOf } from "../error-mapping.ts";
import type { Call, CopyProof, CopyRequest, Grants, Pin, Protection, S3 } from "../interface.ts";
import { ownedBy } from "../options.ts";
import { accessListOf, isBroken, refuseUnanswered } from "../requests/acl.ts";
import { findFacts } from "../requests/head.ts";
import type { Store } from "../store.ts";
import type { MayHave } from "../transport/bucket-answers.ts";
import { send } from "../transport/send.ts";
import { isAsStrong, settleLock } from "./settle-lock.ts";
import { pinnedRef } from "./verify.ts";

/** How stores say no to a lock or an access list. Others than these say no to the copy itself. */
const REFUSALS: ReadonlySet<string> = new Set([
  "AccessControlListNotSupported",
  "AccessDenied",
  "BadRequest",
  "InvalidArgument",
  "InvalidBucketState",
  "InvalidRequest",
  "InvalidRetentionPeriod",
  "MethodNotAllowed",
  "NotImplemented",
  "ObjectLockConfigurationNotFoundError",
]);

/**
 * Who may access an object, and how long it must stay, as far as the job asks for it. Where the bucket can have neither, that costs one request in ten minutes.
 *
 * @throws ActivityError `AccessDenied` where it was asked for by name and may not be read
 */
export async function protectionOf(store: Store, source: Pin, ask: Protect, call: Call): Promise<Protection> {
  const objectLock = ask.objectLock === "drop" ? (source.objectLock ?? undefined) : await lockOf(store, source, call);
  const acl = ask.acl === "drop" ? undefined : await accessListOf(store, pinnedRef(source), ask.acl === "keep", call);
  if (acl === "unread" && ask.acl === "keep")
    throw new ActivityError(
      "AccessDenied",
      `expected to be allowed to read who may access ${nameOf(source)}, which the copy is to keep; allow s3:GetObjectAcl, or say acl: "drop"`,
      { httpStatus: 403 },
    );
  const held = inForce(objectLock);
  return {
    ...(held !== undefined && { objectLock: held }),
    ...(acl !== undefined && acl !== "unread" && { acl }),
  };
}

/** Whether that can be told without a request: neither can be there. */
export function isUnprotected(store: Store, { bucket, objectLock }: Pin, ask: Protect): boolean {
  const unlocked =
    objectLock === null ||
    (objectLock === undefined && (ask.objectLock === "drop" || store.locks.get(bucket) === "no"));
  return unlocked && (ask.acl === "drop" || store.acls.get(bucket) === "no");
}

async function lockOf(store: Store, source: Pin, call: Call): Promise<ObjectLock | undefined> {
  if (source.objectLock !== undefined) return source.objectLock ?? undefined;
  if ((await mayHaveLocks(store, source.bucket, call)) !== "yes") return undefined;
  return (await findFacts(store, { object: pinnedRef(source) }, call))?.details.objectLock;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html */
async function mayHaveLocks(store: Store, bucket: string, call: Call): Promise<MayHave> {
  return await store.locks.ask(bucket, () => askLocks(store, bucket, call));
}

async function askLocks(store: Store, bucket: string, call: Call): Promise<MayHave> {
  const make = () => new GetObjectLockConfigurationCommand({ Bucket: bucket, ...ownedBy(store) });
  let answer: MayHave = "no";
  try {
    const about = { operation: "GetObjectLockConfiguration", bucket };
    const { ObjectLockConfiguration } = await send(store, make, about, call);
    if (ObjectLockConfiguration?.ObjectLockEnabled === "Enabled") answer = "yes";
  } catch (error) {
    if (!isBroken(error)) refuseUnanswered(error, call);
    // The objects themselves will tell.
    if (isBroken(error)) answer = "yes";
    else if (error instanceof ActivityError && error.httpStatus === 403) {
      store.learned.learn("locks-unread");
      answer = "unknown";
    }
  }
  return answer;
}

/** What of a lock still holds, if anything: a date that has passed holds nothing any more, and no store takes it again. */
function inForce(lock: ObjectLock | undefined): ObjectLock | undefined {
  const { mode, retainUntil, legalHold } = lock ?? {};
  const isDated = retainUntil !== undefined && Date.parse(retainUntil) > Date.now();
  if (!isDated && legalHold !== true) return undefined;
  return { ...(isDated && { mode, retainUntil }), ...(legalHold === true && { legalHold }) };
}

/**
 * Makes a copy that keeps what protects its source, or says what it does not keep. What is asked for and the store does not take, or takes and drops,
 * is an error, so that no source goes for it.
 *
 * @param run makes the copy
 * @throws ActivityError `ProtectionNotCarried`
 */
export async function copyProtected(
  { store, from }: { readonly store: Store; readonly from: Pick<S3, "protection" | "connection"> },
  request: CopyRequest,
  call: Call,
  run: (request: CopyRequest) => Promise<CopyProof>,
): Promise<CopyProof> {
  const { protect, source, overrides = {} } = request;
  if (protect === undefined) return await run(request);
  const ask = askedOf(request, protect);
  const looked = from.protection(source, ask, call);
  const found = looked && (await looked);
  if (found === undefined || (found.objectLock === undefined && found.acl === undefined)) return await run(request);
  const inPlace = source.bucket === request.bucket && source.key === request.key && source.versionNamed !== true;
  const keeps = {
    ...(found.objectLock !== undefined &&
      overrides.objectLock === undefined &&
      (inPlace || ask.objectLock === "keep") && { objectLock: found.objectLock }),
    // Whom another store knows by an id is nobody here.
    ...(found.acl !== undefined &&
      (inPlace || ask.acl === "keep") && {
        grants: from.connection.endpoint === store.connection.endpoint ? found.acl.all : found.acl.others,
      }),
  };
  const notCarried: NotCarried[] = [];
  if (found.objectLock !== undefined && overrides.objectLock === undefined && keeps.objectLock === undefined)
    notCarried.push("objectLock");
  if (found.acl !== undefined && keeps.grants === undefined) notCarried.push("acl");
  const proof = await run({ ...request, overrides: { ...overrides, ...keeps } }).catch((error: unknown) => {
    throw refusalOf(request, keeps, error);
  });
  await requireKept(store, proof, keeps, call);
  const all = [...(proof.notCarried ?? []), ...notCarried];
  return all.length === 0 ? proof : { ...proof, notCarried: all };
}

/** In place nothing of the source would be left, so what can be kept is kept. */
function askedOf({ overrides = {} }: CopyRequest, { acl, objectLock }: Protect): Protect {
  return {
    acl: overrides.acl === undefined ? acl : "drop",
    objectLock: overrides.objectLock === undefined ? objectLock : "drop",
  };
}

type Kept = { readonly objectLock?: ObjectLock; readonly grants?: Grants };

function refusalOf(request: CopyRequest, keeps: Kept, error: unknown): unknown {
  if (Object.keys(keeps).length === 0 || !(error instanceof ActivityError) || !REFUSALS.has(error.code)) return error;
  return notKept(request, keeps, `the store refused it with ${error.message}`, error);
}

/** Stores that do not know a header let it pass. */
async function requireKept(store: Store, proof: CopyProof, keeps: Kept, call: Call): Promise<void> {
  const { bucket, key, versionId } = proof;
  const copy: ObjectRef = { bucket, key, ...(versionId !== undefined && { versionId }) };
  if (keeps.objectLock !== undefined) {
    const lock = keeps.objectLock;
    await settleLock(store, copy, lock, call).catch((error: unknown) => {
      if (!(error instanceof ActivityError) || error.retryable) throw error;
      throw notKept(proof, keeps, error.message, error);
    });
    const got = (await findFacts(store, { object: copy }, call))?.details.objectLock;
    if (!isAsStrong(got, lock)) throw notKept(proof, keeps, "the copy is without the lock");
  }
  if (keeps.grants === undefined) return;
  const got = await accessListOf(store, copy, true, call);
  const list = got === undefined || got === "unread" ? {} : got.all;
  const kept = Object.entries(keeps.grants).every(([name, who]) =>
    who.split(", ").every((one) => list[name as keyof Grants]?.split(", ").includes(one) === true),
  ); // of Grants
  if (!kept) throw notKept(proof, keeps, "the copy is without the access list");
}

function notKept(target: ObjectRef, { objectLock, grants }: Kept, why: string, cause?: ActivityError): ActivityError {
  const { mode, retainUntil, legalHold } = objectLock ?? {};
  const parts = [
    ...(mode === undefined ? [] : [`its lock (${mode} until ${retainUntil ?? ""})`]),
    ...(legalHold === true ? ["its legal hold"] : []),
    ...(grants === undefined ? [] : ["its access list"]),
  ];
  const field = objectLock === undefined ? "acl" : "objectLock";
  return new ActivityError(
    "ProtectionNotCarried",
    `expected the copy at ${nameOf(target)} to keep ${parts.join(" and ")} of its source: ${why}; no source was deleted. Say with ${field} what it gets instead, or "drop"`,
    { cause, ...(cause?.httpStatus !== undefined && { httpStatus: cause.httpStatus }) },
  );
}
