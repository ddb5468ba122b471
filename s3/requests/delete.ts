import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import { isSameSecond } from "../../model/one-object.ts";
import type { ObjectDetails, ObjectRef } from "../../model/entities.ts";
import { captureHeaders } from "../transport/capture-headers.ts";
import { type About, isUnknownOutcome, nameOf, unproven } from "../error-mapping.ts";
import { quoteEtag, unquoteEtag } from "../etag.ts";
import { findFacts } from "./head.ts";
import type { Headers } from "./object-facts.ts";
import type { Call, Deleted, Pin, S3 } from "../s3.ts";
import { send } from "../transport/send.ts";
import { ownedBy, type Store } from "../store.ts";

const GONE: Deleted = { deleteMarker: false };

/** Deletes one object or version. What is already gone counts as deleted, as S3 itself sees it, also under a condition. */
export async function deleteObject(store: Store, request: Parameters<S3["delete"]>[0], call: Call): Promise<Deleted> {
  const { object, ifMatch } = request;
  if (ifMatch === undefined) return await sendDelete(store, object, undefined, call);
  if (!store.connection.conditionalDelete) {
    const check = ({ etag }: ObjectDetails): void => {
      if (ifMatch !== "*" && etag !== unquoteEtag(ifMatch)) throw notMatching(object, ifMatch, etag);
    };
    return await deleteAfterLook(store, object, check, call);
  }
  try {
    return await sendDelete(store, object, ifMatch, call);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    // Also the answer to a repeated request whose first try took effect.
    const now = await findFacts(store, { object }, call);
    if (now === undefined) return GONE;
    throw error;
  }
}

/**
 * Deletes the source of a move only while it is what was pinned: by If-Match where the store enforces it, else after a HEAD
 * just before. A named version is exact by itself. https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
 */
export async function deleteUnchanged(
  store: Store,
  pin: Pin,
  call: Call,
): Promise<{ readonly guarantee: "conditional" | "best-effort" }> {
  const object: ObjectRef = { bucket: pin.bucket, key: pin.key };
  if (pin.versionNamed === true && pin.versionId !== undefined) {
    await sendDelete(store, { ...object, versionId: pin.versionId }, undefined, call);
    return { guarantee: "conditional" };
  }
  if (!store.connection.conditionalDelete) {
    const check = (now: ObjectDetails): void => {
      if (!isPinned(now, pin)) throw sourceChanged(pin, `found ETag ${now.etag} of ${now.lastModified}`);
    };
    await deleteAfterLook(store, object, check, call);
    return { guarantee: "best-effort" };
  }
  try {
    await sendDelete(store, object, pin.etag, call);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    // Also the answer to a repeated request whose first try took effect.
    const now = await findFacts(store, { object }, call);
    if (now !== undefined) throw sourceChanged(pin, `found ETag ${now.details.etag}`, error);
  }
  return { guarantee: "conditional" };
}

/**
 * Looks again before every single request: one that is repeated blindly could delete what somebody wrote after the first took effect.
 *
 * @param check throws where what is there must be kept
 */
async function deleteAfterLook(
  store: Store,
  object: ObjectRef,
  check: (now: ObjectDetails) => void,
  call: Call,
): Promise<Deleted> {
  const about: About = { operation: "DeleteObject", ...object };
  for (let attempt = 1; ; attempt += 1) {
    const now = await findFacts(store, { object }, call);
    if (now === undefined) return GONE;
    check(now.details);
    try {
      return await sdkDelete(store, object, undefined, about, call, true);
    } catch (error) {
      if (attempt === 2 || !isUnknownOutcome(error)) throw error;
    }
  }
}

/** Whether what a HEAD found is what was pinned; a version or date that the pin lacks is not compared. */
export function isPinned(
  now: { etag: string; size: number; lastModified: string; versionId?: string | undefined },
  pin: Pin,
): boolean {
  return (
    now.etag === unquoteEtag(pin.etag) &&
    now.size === pin.size &&
    (pin.versionId === undefined || now.versionId === undefined || now.versionId === pin.versionId) &&
    isSameSecond(now.lastModified, pin.lastModified)
  );
}

export function sourceChanged(pin: Pin, found: string, cause?: unknown): ActivityError {
  return new ActivityError("SourceChanged", `expected ${nameOf(pin)} with ETag ${pin.etag}, ${found}`, {
    httpStatus: 412,
    cause,
  });
}

function isRefusal(error: unknown): boolean {
  return error instanceof ActivityError && (error.httpStatus === 412 || error.code === "ConditionalRequestConflict");
}

function notMatching(object: ObjectRef, ifMatch: string, found: string): ActivityError {
  return new ActivityError(
    "PreconditionFailed",
    `expected ${nameOf(object)} with ETag ${unquoteEtag(ifMatch)}, found ${found}`,
    {
      httpStatus: 412,
    },
  );
}

async function sendDelete(store: Store, object: ObjectRef, ifMatch: string | undefined, call: Call): Promise<Deleted> {
  const { bucket, key, versionId } = object;
  const about: About = { operation: "DeleteObject", bucket, key, versionId };
  const headers: Record<string, string> = ifMatch === undefined ? {} : { "if-match": quoteEtag(ifMatch) };
  const answer = await store.fast?.send(
    { operation: "DeleteObject", bucket, key, query: { versionId }, headers, about },
    call,
  );
  if (answer?.outcome === "done" && answer.body === "") return deletedFrom(answer.headers);
  return await sdkDelete(store, object, ifMatch, about, call);
}

async function sdkDelete(
  store: Store,
  object: ObjectRef,
  ifMatch: string | undefined,
  about: About,
  call: Call,
  once = false,
): Promise<Deleted> {
  const { bucket, key, versionId } = object;
  let headers: Headers = {};
  let status = 0;
  const make = (): DeleteObjectCommand => {
    const command = new DeleteObjectCommand({
      Bucket: bucket,
      Key: key,
      VersionId: versionId,
      IfMatch: ifMatch === undefined ? undefined : quoteEtag(ifMatch),
      ...ownedBy(store),
    });
    captureHeaders(command.middlewareStack, (got, code) => {
      headers = got;
      status = code;
    });
    return command;
  };
  try {
    await send(store, make, about, call, { once });
  } catch (error) {
    if (error instanceof ActivityError && (error.code === "NoSuchKey" || error.code === "NoSuchVersion")) return GONE;
    throw error;
  }
  // S3 answers 204. A page of some proxy comes with 200, so anything else has to show that the object is gone.
  if (status !== 204 && (await findFacts(store, { object }, call)) !== undefined)
    throw unproven(about, "204 No Content", status);
  return deletedFrom(headers);
}

function deletedFrom(headers: Headers): Deleted {
  const versionId = headers["x-amz-version-id"];
  return {
    deleteMarker: headers["x-amz-delete-marker"] === "true",
    ...(typeof versionId === "string" && { versionId }),
  };
}
