import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import type { ObjectDetails, ObjectRef } from "../../model/entities.ts";
import { captureHeaders } from "../transport/capture-headers.ts";
import { type About, isThrottle, isUnknownOutcome, nameOf, unproven } from "../error-mapping.ts";
import { quoteEtag, unquoteEtag } from "../../model/etag.ts";
import { foundOf, isPinned, lookUnchanged, sourceChanged } from "../proof/unchanged.ts";
import {
  conditionHeaders,
  conditionsFor,
  type DeleteConditions,
  isDated,
  isUnknownCondition,
} from "../proof/delete-conditions.ts";
import { findFacts } from "./head.ts";
import type { Headers } from "./object-facts.ts";
import type { Call, Deleted, Pin, S3, SourceDeleted } from "../interface.ts";
import { send } from "../transport/send.ts";
import { ownedBy } from "../options.ts";
import type { Store } from "../store.ts";
import { findVersion, refuseLossOfNullVersion } from "./versions.ts";

const GONE: Deleted = { deleteMarker: false };

/** Deletes one object or version. What is already gone counts as deleted, as S3 itself sees it, also under a condition. */
export async function deleteObject(
  store: Store,
  request: Parameters<S3["delete"]>[0],
  call: Call,
  sent: Sent = { cutOff: false },
): Promise<Deleted> {
  const { object, ifMatch } = request;
  if (object.versionId !== undefined && !(await findVersion(store, object, call))) return GONE;
  if (ifMatch === undefined) return await sendDelete(store, { object, ifMatch, sent }, call);
  if (!store.connection.conditionalDelete) {
    const look = async (): Promise<ObjectDetails | undefined> => {
      const now = (await findFacts(store, { object }, call))?.details;
      if (now !== undefined && ifMatch !== "*" && now.etag !== unquoteEtag(ifMatch))
        throw notMatching(object, ifMatch, now.etag);
      return now;
    };
    return await deleteAfterLook(store, { object, look, sent }, call);
  }
  try {
    return await sendDelete(store, { object, ifMatch, sent }, call);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    // Also the answer to a repeated request whose first try took effect.
    const now = await findFacts(store, { object }, call);
    if (now === undefined) return GONE;
    throw error;
  }
}

/**
 * Deletes the source of a move only while it is the object that was pinned: looked at just before every request, and by If-Match too where the store
 * enforces it, which closes the window for any other content. A version that the caller named is deleted by its name.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
 */
export async function deleteUnchanged(
  store: Store,
  pin: Pin,
  call: Call,
  sent: Sent = { cutOff: false },
): Promise<SourceDeleted> {
  const { bucket, key, versionId } = pin;
  const named = pin.versionNamed === true && versionId !== undefined;
  const enforced = store.connection.conditionalDelete;
  const object: ObjectRef = { bucket, key, ...(named && { versionId }) };
  const look = async (): Promise<ObjectDetails | undefined> => {
    const now = (await lookUnchanged(store, pin, call))?.details;
    if (now !== undefined && !named) await refuseLossOfNullVersion(store, now, call);
    return now;
  };
  for (let done = false; !done;) {
    const conditions = named ? undefined : conditionsFor(store, bucket, pin);
    try {
      await deleteAfterLook(store, { object, look, conditions, sent }, call);
      done = true;
    } catch (error) {
      done = await settleRefusal(store, { pin, object, conditions, error }, call);
    }
  }
  return { guarantee: enforced || named ? "conditional" : "best-effort", ...sent };
}

type RefusedDelete = {
  readonly pin: Pin;
  readonly object: ObjectRef;
  readonly conditions: DeleteConditions | undefined;
  readonly error: unknown;
};

/** True where the object is gone, false where the delete is to be sent again without its date; else throws. */
async function settleRefusal(
  store: Store,
  { pin, object, conditions, error }: RefusedDelete,
  call: Call,
): Promise<boolean> {
  if (isDated(conditions) && isUnknownCondition(error)) {
    store.learned.learn("delete-dates-unknown");
    return false;
  }
  if (!isRefusal(error) || (error instanceof ActivityError && error.code === "SourceChanged")) throw error;
  // Also the answer to a repeated request whose first try took effect.
  const now = await findFacts(store, { object }, call);
  if (now === undefined) return true;
  if (!isDated(conditions) || !isPinned(now.details, pin)) throw sourceChanged(pin, foundOf(now.details), error);
  // It compares dates in a way of its own.
  store.learned.learn("delete-dates-unknown");
  return false;
}

type LookedAt = {
  readonly object: ObjectRef;
  /** What is there; throws where it must be kept. */
  readonly look: () => Promise<ObjectDetails | undefined>;
  readonly conditions?: DeleteConditions | undefined;
  readonly sent: Sent;
};

/** Is told where a request had no answer: it may have taken effect, or do so later. */
export type Sent = { cutOff: boolean };

/** Looks again before every single request: one that is repeated blindly could delete what somebody wrote after the first took effect. */
async function deleteAfterLook(
  store: Store,
  { object, look, conditions, sent }: LookedAt,
  call: Call,
): Promise<Deleted> {
  const about: About = { operation: "DeleteObject", ...object };
  if ((await look()) === undefined) return GONE;
  const fast = await fastDelete(store, object, conditions, call);
  if (fast !== "refused" && fast !== "unknown") return fast;
  if (fast === "unknown") sent.cutOff = true;
  for (let attempt = 1; ; attempt += 1) {
    if ((attempt > 1 || fast === "unknown") && (await look()) === undefined) return GONE;
    try {
      return await sdkDelete(store, object, conditions, about, call, true);
    } catch (error) {
      if (attempt === 2 || !isUnknownOutcome(error) || isBusy(error)) throw error;
      sent.cutOff = true;
    }
  }
}

/** Who asks for time, or took all of it, is not asked again at once. A socket that broke is called a timeout too, and has a cause. */
function isBusy(error: unknown): boolean {
  return isThrottle(error) || (error instanceof ActivityError && error.code === "Timeout" && error.cause === undefined);
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

type Sending = { readonly object: ObjectRef; readonly ifMatch: string | undefined; readonly sent: Sent };

async function sendDelete(store: Store, { object, ifMatch, sent }: Sending, call: Call): Promise<Deleted> {
  const conditions = ifMatch === undefined ? undefined : { etag: ifMatch };
  const fast = await fastDelete(store, object, conditions, call);
  if (fast !== "refused" && fast !== "unknown") return fast;
  if (fast === "unknown") sent.cutOff = true;
  return await sdkDelete(store, object, conditions, { operation: "DeleteObject", ...object }, call);
}

/** Done without the SDK, or `refused`, or with an outcome that is `unknown`. */
async function fastDelete(
  store: Store,
  { bucket, key, versionId }: ObjectRef,
  conditions: DeleteConditions | undefined,
  call: Call,
): Promise<Deleted | "refused" | "unknown"> {
  const about: About = { operation: "DeleteObject", bucket, key, versionId };
  const headers = conditionHeaders(conditions);
  const answer = await store.fast?.send(
    { operation: "DeleteObject", bucket, key, query: { versionId }, headers, about },
    call,
  );
  if (answer === undefined) return "refused";
  if (answer.outcome !== "done") return answer.outcome;
  return answer.body === "" ? deletedFrom(answer.headers) : "unknown";
}

async function sdkDelete(
  store: Store,
  object: ObjectRef,
  conditions: DeleteConditions | undefined,
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
      ...(conditions !== undefined && {
        IfMatch: quoteEtag(conditions.etag),
        IfMatchSize: conditions.size,
        ...(conditions.lastModified !== undefined && { IfMatchLastModifiedTime: new Date(conditions.lastModified) }),
      }),
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
    if (!(error instanceof ActivityError) || (error.code !== "NoSuchKey" && error.code !== "NoSuchVersion"))
      throw error;
    // S3 itself never says so: it takes the look of somebody who does.
    if ((await findFacts(store, { object }, call)) === undefined) return GONE;
    throw unproven(about, "an object that is there to be deleted", 404);
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
