import crypto from "node:crypto";
import { DeleteObjectsCommand, type ObjectIdentifier } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import { inLanes, lookAtMany } from "../proof/look-at-many.ts";
import { foundOf, isPinned, sourceChanged } from "../proof/unchanged.ts";
import { deleteObject, deleteUnchanged, type Sent } from "./delete.ts";
import {
  asSourceChanged,
  confirmations,
  failed,
  identityOf,
  isRepeated,
  wasRepeated,
} from "../proof/delete-answers.ts";
import { conditionsFor, isDated, isUnknownCondition } from "../proof/delete-conditions.ts";
import { type About, toActivityError, unproven } from "../error-mapping.ts";
import { quoteEtag } from "../../model/etag.ts";
import { findFacts } from "./head.ts";
import type { Call, DeleteItem, DeleteOutcome, Pin, S3 } from "../interface.ts";
import { send } from "../transport/send.ts";
import { ownedBy } from "../options.ts";
import type { Store } from "../store.ts";
import { findVersion } from "./versions.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
const MAX_KEYS = 1_000;
// What XML 1.0 cannot carry at all, or what parsers on the way change: such a key would delete, or confirm, another one.
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const NOT_FOR_XML = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff]|^\s|\s$/;

/** Objects looked at at once. */
const LOOKS = 32;

type Request = Parameters<S3["deleteMany"]>[0];

/** Deletes up to 1,000 keys. Only a key that the store confirms by name counts as deleted. */
export async function deleteMany(
  store: Store,
  { bucket, items }: Request,
  call: Call,
): Promise<readonly DeleteOutcome[]> {
  const outcomes = new Map<string, DeleteOutcome>();
  const { left, alone } = await lookBefore(store, bucket, items, { outcomes, call });
  const bulk = left.filter(({ key }) => !store.learned.has("bulk-delete-missing") && !NOT_FOR_XML.test(key));
  for (let start = 0; start < bulk.length; start += MAX_KEYS) {
    const chunk = bulk.slice(start, start + MAX_KEYS);
    const done = await deleteChunk(store, bucket, chunk, call);
    // The store has no such call: what is left goes one by one, from now on.
    if (done === undefined) break;
    for (const [identity, outcome] of done) outcomes.set(identity, outcome);
  }
  await inLanes([...alone, ...left], LOOKS, async (item) => {
    const identity = identityOf(item);
    if (!outcomes.has(identity)) outcomes.set(identity, await deleteOne(store, bucket, item, call));
  });
  // Each has one by now.
  return items.map((item) => outcomes.get(identityOf(item)) ?? { key: item.key });
}

type Looking = { readonly outcomes: Map<string, DeleteOutcome>; readonly call: Call };

/** Decides on what is gone, changed or cannot be looked at; returns what may be deleted: `alone` what needs a look and a request of its own. */
async function lookBefore(
  store: Store,
  bucket: string,
  items: readonly DeleteItem[],
  { outcomes, call }: Looking,
): Promise<{ readonly left: readonly DeleteItem[]; readonly alone: readonly DeleteItem[] }> {
  const distinct = [...new Map(items.map((item) => [identityOf(item), item])).values()];
  const pinned = distinct.filter((item) => pinOf(bucket, item) !== undefined);
  const left = distinct.filter((item) => pinOf(bucket, item) === undefined);
  for (const item of left) {
    const { key, versionId } = item;
    if (versionId === undefined || store.namesVersions.has(bucket)) continue;
    try {
      if (!(await findVersion(store, { bucket, key, versionId }, call))) outcomes.set(identityOf(item), { key });
    } catch (error) {
      outcomes.set(identityOf(item), { key, error: lookError(error, bucket, item, call) });
    }
  }
  const free = left.filter((item) => !outcomes.has(identityOf(item)));
  if (pinned.length === 0) return { left: free, alone: [] };
  const looks = await lookAtMany(store, bucket, pinned, call);
  if (looks.versions === "at-risk") return { left: free, alone: pinned };
  const unchanged: DeleteItem[] = [];
  for (const item of pinned) {
    const now = looks.found.get(item.key);
    const pin = pinOf(bucket, item);
    if (now === undefined || pin === undefined) outcomes.set(identityOf(item), { key: item.key });
    else if (now instanceof ActivityError) outcomes.set(identityOf(item), { key: item.key, error: now });
    else if (isPinned(now, pin)) unchanged.push(item);
    else outcomes.set(identityOf(item), { key: item.key, error: sourceChanged(pin, foundOf(now)) });
  }
  return { left: [...free, ...unchanged], alone: [] };
}

/** What an item says of the object that it means; `undefined` where it is only a name, or a version, which is exact by itself. */
function pinOf(bucket: string, { key, versionId, etag, size, lastModified }: DeleteItem): Pin | undefined {
  if (versionId !== undefined || etag === undefined || size === undefined || lastModified === undefined)
    return undefined;
  return { bucket, key, etag, size, lastModified };
}

async function deleteOne(store: Store, bucket: string, item: DeleteItem, call: Call): Promise<DeleteOutcome> {
  const { key, versionId, etag } = item;
  const sent: Sent = { cutOff: false };
  try {
    const pin = pinOf(bucket, item);
    // A named version is exact by itself.
    const ifMatch = versionId === undefined ? etag : undefined;
    if (pin !== undefined) await deleteUnchanged(store, pin, call, sent);
    else await deleteObject(store, { object: { bucket, key, versionId }, ifMatch }, call, sent);
    return { key };
  } catch (error) {
    call.signal.throwIfAborted();
    const about: About = { operation: "DeleteObject", bucket, key, versionId };
    return failed(key, asSourceChanged(toActivityError(error, about), bucket, item), sent.cutOff || isRepeated(error));
  }
}

function lookError(error: unknown, bucket: string, { key, versionId }: DeleteItem, call: Call): ActivityError {
  call.signal.throwIfAborted();
  return toActivityError(error, { operation: "HeadObject", bucket, key, versionId });
}

async function deleteChunk(
  store: Store,
  bucket: string,
  items: readonly DeleteItem[],
  call: Call,
): Promise<Map<string, DeleteOutcome> | undefined> {
  const about: About = { operation: "DeleteObjects", bucket };
  const distinct = [...new Map(items.map((item) => [identityOf(item), item])).values()];
  const make = (): DeleteObjectsCommand => {
    const command = new DeleteObjectsCommand({
      Bucket: bucket,
      // Not quiet: a key that the answer does not name may as well have been lost on the way.
      Delete: { Quiet: false, Objects: distinct.map((item) => identifier(store, bucket, item)) },
      ...ownedBy(store),
    });
    if (store.learned.has("bulk-delete-md5")) proveByMd5(command);
    return command;
  };
  // What was looked at just before, here or by the caller where the store does not compare, needs another look before a repeated request.
  const once = distinct.some(
    (item) => pinOf(bucket, item) !== undefined || (!store.connection.conditionalDelete && item.etag !== undefined),
  );
  const dated = distinct.some((item) => isDated(conditionsOf(store, bucket, item)));
  const answer = await sendOrLearn(store, dated, () => send(store, make, about, call, { once }));
  if (answer === undefined) return undefined;
  const told = confirmations(answer, bucket);
  const outcomes = distinct.map((item): readonly [DeleteItem, DeleteOutcome] => {
    const { error } = told.get(identityOf(item)) ?? {
      error: unproven({ ...about, key: item.key, versionId: item.versionId }, "the key among those deleted", 200),
    };
    const { key } = item;
    if (error === undefined) return [item, { key }];
    return [item, failed(key, asSourceChanged(error, bucket, item), wasRepeated(answer))];
  });
  return await settleRefusals(store, bucket, { outcomes, dated }, call);
}

/**
 * Sends a bulk delete, and learns from a store that refuses any: some want Content-MD5 and know no other checksum, others have no such
 * call. A refusal deletes nothing. `undefined` where objects have to be deleted one by one.
 */
async function sendOrLearn<Answer>(
  store: Store,
  dated: boolean,
  run: () => Promise<Answer>,
): Promise<Answer | undefined> {
  const { learned } = store;
  // Others learn meanwhile, so only what this request was sent with is what was refused.
  const lesson = learned.has("bulk-delete-md5") ? "bulk-delete-missing" : "bulk-delete-md5";
  try {
    return await run();
  } catch (error) {
    if (dated && isUnknownCondition(error)) {
      learned.learn("delete-dates-unknown");
      return await sendOrLearn(store, false, run);
    }
    if (!(error instanceof ActivityError) || !isMissingCall(error)) throw error;
    learned.learn(lesson);
    return learned.has("bulk-delete-missing") ? undefined : await sendOrLearn(store, dated, run);
  }
}

const WANTS_MD5: ReadonlySet<string> = new Set(["MissingContentMD5", "InvalidDigest", "MissingDigest"]);

function isMissingCall({ httpStatus, code, message }: ActivityError): boolean {
  if (httpStatus === 501 || httpStatus === 405 || WANTS_MD5.has(code)) return true;
  return httpStatus === 400 && code === "InvalidRequest" && /content-md5/i.test(message);
}

/** A Content-MD5 in the place of the SDK's own checksum. */
function proveByMd5({ middlewareStack }: DeleteObjectsCommand): void {
  middlewareStack.add(
    (next) => async (args) => {
      // An HTTP request, which the SDK leaves untyped; its body is the XML.
      const request = args.request as { headers: Record<string, string>; body?: string | Uint8Array };
      for (const name of Object.keys(request.headers))
        if (/^x-amz-(checksum-|sdk-checksum-algorithm$)/i.test(name)) delete request.headers[name];
      request.headers["content-md5"] = crypto.hash("md5", request.body ?? "", "base64");
      return await next(args);
    },
    { step: "build", priority: "low", name: "proveByMd5", override: true },
  );
}

/** `dated`: dates were to be compared too. */
type Told = { readonly outcomes: readonly (readonly [DeleteItem, DeleteOutcome])[]; readonly dated: boolean };

/**
 * A refusal may also be the answer to a repeated request whose first try took effect: what is gone by now counts as deleted. What is there unchanged was
 * refused for its date, by a store that compares those in a way of its own, and goes without.
 */
async function settleRefusals(
  store: Store,
  bucket: string,
  { outcomes, dated }: Told,
  call: Call,
): Promise<Map<string, DeleteOutcome>> {
  const settled = new Map(outcomes.map(([item, outcome]) => [identityOf(item), outcome]));
  const refused = outcomes.filter(
    ([, { error }]) => error?.code === "SourceChanged" || (dated && isUnknownCondition(error)),
  );
  const settle = async ([item]: (typeof refused)[number]): Promise<void> => {
    const { key } = item;
    try {
      const now = await findFacts(store, { object: { bucket, key } }, call);
      const pin = pinOf(bucket, item);
      if (now === undefined) settled.set(identityOf(item), { key });
      else if (dated && pin !== undefined && isPinned(now.details, pin)) {
        store.learned.learn("delete-dates-unknown");
        settled.set(identityOf(item), await deleteOne(store, bucket, item, call));
      }
    } catch (error) {
      call.signal.throwIfAborted();
      // A refusal that nobody could look behind.
      settled.set(
        identityOf(item),
        failed(key, toActivityError(error, { operation: "HeadObject", bucket, key }), true),
      );
    }
  };
  await inLanes(refused, LOOKS, settle);
  return settled;
}

function conditionsOf(store: Store, bucket: string, { versionId, etag, ...pin }: DeleteItem) {
  return etag === undefined || versionId !== undefined ? undefined : conditionsFor(store, bucket, { etag, ...pin });
}

function identifier(store: Store, bucket: string, item: DeleteItem): ObjectIdentifier {
  const { key, versionId } = item;
  const conditions = conditionsOf(store, bucket, item);
  return {
    Key: key,
    ...(versionId !== undefined && { VersionId: versionId }),
    ...(conditions !== undefined && { ETag: quoteEtag(conditions.etag), Size: conditions.size }),
    ...(conditions?.lastModified !== undefined && { LastModifiedTime: new Date(conditions.lastModified) }),
  };
}
