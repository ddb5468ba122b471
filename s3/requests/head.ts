import { GetObjectCommand, HeadBucketCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import type { ObjectDetails, ObjectRef } from "../../model/entities.ts";
import type { CustomerKey } from "../../credentials/resolved-profile.ts";
import { keyHeaders, keyInput, withItsKey } from "./customer-key.ts";
import { captureHeaders } from "../transport/capture-headers.ts";
import { type About, toActivityError, unproven } from "../error-mapping.ts";
import { quoteEtag } from "../../model/etag.ts";
import { type ObjectFacts, factsFromHeaders, type Headers } from "./object-facts.ts";
import type { Call } from "../interface.ts";
import { regionOf, send } from "../transport/send.ts";
import { ownedBy } from "../options.ts";
import type { Store } from "../store.ts";

type HeadRequest = {
  readonly object: ObjectRef;
  readonly ifMatch?: string | undefined;
  /** Ask for checksums too; the default where the profile supports them. */
  readonly checksums?: boolean;
};

/** All that HEAD tells of an object; throws NoSuchKey, NoSuchVersion, NoSuchBucket, AccessDenied ... by name, although HEAD answers have no body. */
export async function headFacts(store: Store, request: HeadRequest, call: Call): Promise<ObjectFacts> {
  const { bucket, key, versionId } = request.object;
  const about: About = { operation: "HeadObject", bucket, key, versionId };
  const checksums = (request.checksums ?? true) && store.connection.checksums === "when-supported";
  const headers = await withItsKey(store, request.object, async (customerKey) => {
    const asked = { ...request, checksums, customerKey };
    return (await fastHead(store, asked, about, call)) ?? (await sdkHead(store, asked, about, call));
  });
  const facts = provenFacts(store, headers, request.object, about);
  store.seenBuckets.add(bucket);
  if (versionId !== undefined && versionId === facts.details.versionId) store.namesVersions.add(bucket);
  return facts;
}

/** What the answer says; one that proves nothing teaches something of the store. */
function provenFacts({ learned }: Store, headers: Headers, object: ObjectRef, about: About): ObjectFacts {
  try {
    return factsFromHeaders(headers, object, about);
  } catch (error) {
    if (error instanceof ActivityError)
      learned.learn(error.code === "VersionIgnored" ? "versions-ignored" : "etags-missing");
    throw error;
  }
}

/** As {@link headFacts}, but `undefined` where no object is there. */
export async function findFacts(store: Store, request: HeadRequest, call: Call): Promise<ObjectFacts | undefined> {
  try {
    return await headFacts(store, request, call);
  } catch (error) {
    if (error instanceof ActivityError && (error.code === "NoSuchKey" || error.code === "NoSuchVersion"))
      return undefined;
    throw error;
  }
}

export async function head(store: Store, object: ObjectRef, call: Call): Promise<ObjectDetails> {
  return (await headFacts(store, { object }, call)).details;
}

export async function find(store: Store, object: ObjectRef, call: Call): Promise<ObjectDetails | undefined> {
  return (await findFacts(store, { object }, call))?.details;
}

type KeyedRequest = HeadRequest & { readonly checksums: boolean; readonly customerKey: CustomerKey | undefined };

async function fastHead(
  store: Store,
  { object, ifMatch, checksums, customerKey }: KeyedRequest,
  about: About,
  call: Call,
): Promise<Headers | undefined> {
  const headers = {
    ...(checksums && { "x-amz-checksum-mode": "ENABLED" }),
    ...(ifMatch !== undefined && { "if-match": quoteEtag(ifMatch) }),
    ...keyHeaders(customerKey, "object"),
  };
  const { bucket, key, versionId } = object;
  const request = { operation: "HeadObject", bucket, key, query: { versionId }, headers, about } as const;
  const answer = await store.fast?.send(request, call);
  if (answer === undefined || answer.outcome === "unknown") return undefined;
  if (answer.outcome === "done") return answer.headers["etag"] === undefined ? undefined : answer.headers;
  // The one refusal that is common and clear: the store itself says that there is nothing, in a bucket that exists.
  const { requestId } = answer;
  if (answer.status === 404 && requestId !== undefined && store.seenBuckets.has(object.bucket))
    throw toActivityError({ name: "NotFound", $metadata: { httpStatusCode: 404, requestId } }, about);
  return undefined;
}

async function sdkHead(store: Store, request: KeyedRequest, about: About, call: Call): Promise<Headers> {
  const { object, ifMatch, checksums, customerKey } = request;
  let headers: Headers | undefined;
  const make = (): HeadObjectCommand => {
    const command = new HeadObjectCommand({
      Bucket: object.bucket,
      Key: object.key,
      VersionId: object.versionId,
      IfMatch: ifMatch === undefined ? undefined : quoteEtag(ifMatch),
      ChecksumMode: checksums ? "ENABLED" : undefined,
      ...keyInput(customerKey),
      ...ownedBy(store),
    });
    captureHeaders(command.middlewareStack, (got) => {
      headers = got;
    });
    return command;
  };
  try {
    await send(store, make, about, call);
  } catch (error) {
    throw await explain(store, request, error, about, call);
  }
  if (headers === undefined) throw unproven(about, "headers", 200);
  return headers;
}

/** HEAD answers have no body and so no code. What can mean several things is asked again in a way that is answered with one. */
async function explain(
  store: Store,
  request: KeyedRequest,
  error: unknown,
  about: About,
  call: Call,
): Promise<unknown> {
  if (!(error instanceof ActivityError) || call.signal.aborted) return error;
  if (error.httpStatus === 404 && error.code !== "NoSuchBucket" && about.bucket !== undefined) {
    const missing = await bucketIsMissing(store, about.bucket, call);
    if (missing !== undefined || error.requestId !== undefined) return missing ?? error;
  } else if (error.httpStatus !== 400 && error.httpStatus !== 403) return error;
  const { bucket, key, versionId } = request.object;
  const make = (): GetObjectCommand =>
    new GetObjectCommand({
      Bucket: bucket,
      Key: key,
      VersionId: versionId,
      Range: "bytes=0-0",
      ...keyInput(request.customerKey),
      ...ownedBy(store),
    });
  try {
    const answer = await send(store, make, about, call);
    // Readable, and yet HEAD was refused: the first answer stands.
    if (answer.Body !== undefined && "destroy" in answer.Body && typeof answer.Body.destroy === "function")
      answer.Body.destroy();
    return error.httpStatus === 404 ? unproven(about, SAID_MISSING, 404) : error;
  } catch (reason) {
    const told = toActivityError(reason, about);
    if (error.httpStatus === 404) return isSaidByStore(told) ? told : unproven(about, SAID_MISSING, 404);
    return told.httpStatus === error.httpStatus || told.httpStatus === 404 ? told : error;
  }
}

const SAID_MISSING = "the store itself to say that it is not there";

/** A proxy's 404 is no word of the store, and "not there" may mean "done": the store gives its answers an id, or at least a code. */
function isSaidByStore({ requestId, cause }: ActivityError): boolean {
  // The SDK's error, which is named after the code in the body.
  const name = typeof cause === "object" && cause !== null && "name" in cause ? cause.name : undefined;
  return requestId !== undefined || name === "NoSuchKey" || name === "NoSuchVersion" || name === "NoSuchBucket";
}

async function bucketIsMissing(store: Store, bucket: string, call: Call): Promise<ActivityError | undefined> {
  if (store.seenBuckets.has(bucket)) return undefined;
  const about: About = { operation: "HeadBucket", bucket };
  try {
    const region = await regionOf(store, bucket, call);
    await send(store, () => new HeadBucketCommand({ Bucket: bucket, ...ownedBy(store) }), about, call, { region });
    store.seenBuckets.add(bucket);
    return undefined;
  } catch (error) {
    call.signal.throwIfAborted();
    return error instanceof ActivityError && error.code === "NoSuchBucket" ? error : undefined;
  }
}
