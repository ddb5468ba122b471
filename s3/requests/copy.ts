import { CopyObjectCommand, type CopyObjectCommandInput } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import {
  carriedHeaders,
  carriedKms,
  carriedStorageClass,
  encryptionInput,
  kmsOf,
  protectionInput,
  replacesHeaders,
  storageInput,
  taggingInput,
} from "./attributes/input.ts";
import { isRefusedKey, keyHeaders, keyOfSource, sourceKeyInput, writeKeyInput } from "./customer-key.ts";
import { copySource } from "./copy-source.ts";
import { isPinned, sourceChanged } from "../proof/unchanged.ts";
import { type About, nameOf, unproven } from "../error-mapping.ts";
import { quoteEtag, unquoteEtag } from "../../model/etag.ts";
import { copyResultEtag } from "../transport/copy-result.ts";
import { findFacts, headFacts } from "./head.ts";
import { multipartCopy } from "../parts/copy.ts";
import { headerBytes } from "./attributes/table.ts";
import type { Call, CopyProof, CopyRequest } from "../interface.ts";
import { send } from "../transport/send.ts";
import { ownedBy } from "../options.ts";
import type { Store } from "../store.ts";
import { leaveUnreadTags, settleTags, type Tags, tags, tagsIfReadable } from "./tags.ts";
import { copiedRef, type Copied, pinnedRef, proves, verifyCopy } from "../proof/verify.ts";

/** CopyObject's limit. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
const MAX_SINGLE_COPY = 5 * 1024 ** 3;

/** What the fast path can ask for; all else goes through the SDK. */
const FAST_OVERRIDES: ReadonlySet<string> = new Set(["storageClass", "websiteRedirect"]);

/** Copies within one store, fenced by the pin and verified before it returns. */
export async function copy(store: Store, request: CopyRequest, call: Call): Promise<CopyProof> {
  const single = request.source.size <= Math.min(store.connection.multipartThreshold, MAX_SINGLE_COPY);
  if (!single) return await copyInParts(store, request, call);
  const proof = await singleCopy(store, request, call);
  request.onBytes?.(proof.size);
  return proof;
}

/** Parts carry no tags. Where those may not be read, a CopyObject has the store itself say whether there are any, up to the size that it takes. */
async function copyInParts(store: Store, request: CopyRequest, call: Call): Promise<CopyProof> {
  const { source, overrides = {}, unreadTags } = request;
  const read = () => tags(store, pinnedRef(source), call);
  const carried = overrides.tags ?? (await tagsIfReadable(read));
  if (carried !== undefined)
    return await multipartCopy(store, { ...request, overrides: { ...overrides, tags: carried } }, call);
  if (source.size <= MAX_SINGLE_COPY) return await singleCopy(store, request, call);
  leaveUnreadTags(source, (await headFacts(store, { object: pinnedRef(source) }, call)).tagCount, unreadTags);
  const proof = await multipartCopy(store, { ...request, overrides: { ...overrides, tags: {} } }, call);
  return { ...proof, notCarried: ["tags"] };
}

async function singleCopy(store: Store, request: CopyRequest, call: Call): Promise<CopyProof> {
  // Before the copy: in place, what the store drops is gone afterwards.
  const wanted = await droppedTags(store, request, call);
  const copied = await copyWithItsKey(store, request, call);
  await settleTags(store, copiedRef(copied), wanted, call);
  const { proof, source, copy: made } = await verifyCopy(store, request.source, copied, call);
  const kms =
    source === undefined || request.overrides?.encryption !== undefined ? undefined : carriedKms(store, source);
  if (kms === undefined || made === undefined || sameKms(kms, kmsOf(made))) return proof;
  // The source is encrypted with a key that CopyObject did not carry over, which only these HEADs could tell: once more, over our own copy.
  const { bucket, key, source: pin, onBytes } = request;
  const overrides = { ...request.overrides, encryption: kms };
  const again = {
    source: pin,
    bucket,
    key,
    overrides,
    ifMatch: copied.etag,
    ...(onBytes !== undefined && { onBytes }),
  };
  return await singleCopy(store, again, call);
}

/** Tags that a store may have dropped: the job's own, and the source's where headers are replaced, which Ceph's gateway takes for all of them. */
async function droppedTags(store: Store, request: CopyRequest, call: Call): Promise<Tags | undefined> {
  const { source, overrides = {} } = request;
  const replaces = replacesHeaders(overrides) || isInPlace(request);
  if (overrides.tags !== undefined || store.connection.endpoint === undefined || !replaces) return overrides.tags;
  return await tagsIfReadable(() => tags(store, pinnedRef(source), call));
}

function sameKms(wanted: ReturnType<typeof kmsOf>, got: ReturnType<typeof kmsOf>): boolean {
  return JSON.stringify(wanted) === JSON.stringify(got);
}

/** A source out of a listing may have the customer's key or none: where it is refused, a HEAD finds out which opens it. */
async function copyWithItsKey(store: Store, request: CopyRequest, call: Call): Promise<Copied> {
  const source = pinnedRef(request.source);
  const tried = keyOfSource(store, source);
  try {
    return await sendCopy(store, request, call);
  } catch (error) {
    if (store.customerKeys.known === undefined || !isRefusedKey(error)) throw error;
    if ((await findFacts(store, { object: source }, call)) === undefined || keyOfSource(store, source) === tried)
      throw error;
    return await sendCopy(store, request, call);
  }
}

async function sendCopy(store: Store, request: CopyRequest, call: Call): Promise<Copied> {
  const { source, bucket, key } = request;
  const about: About = { operation: "CopyObject", bucket, key, from: pinnedRef(source) };
  // Where the store would take it over what came since, a copy that may replace nothing goes out once for each look of its caller.
  const once = request.ifNoneMatch !== undefined && !store.connection.conditionalWrite;
  const fast = once ? "refused" : await fastCopy(store, request, about, call);
  if (typeof fast === "object") return fast;
  const input = await copyInput(store, request, call);
  try {
    const limits = { timeoutMs: store.settings.copyTimeoutMs, bytes: source.size, once };
    const answer = await send(store, () => new CopyObjectCommand(input), about, call, limits);
    const etag = unquoteEtag(answer.CopyObjectResult?.ETag ?? "");
    // S3 may send 200 and then fail; the SDK misses that where the body is not just as it expects, and resolves empty.
    if (etag === "") throw unproven(about, "the copy's ETag", 200);
    return { bucket, key, etag, versionId: answer.VersionId };
  } catch (error) {
    return await resolveRefusal(store, request, error, fast === "unknown", call);
  }
}

/** Done without the SDK, or `refused`, or with an outcome that is `unknown`. Only what S3 carries over by itself is asked for here. */
async function fastCopy(
  store: Store,
  request: CopyRequest,
  about: About,
  call: Call,
): Promise<Copied | "refused" | "unknown"> {
  const { source, bucket, key, overrides = {}, ifMatch, ifNoneMatch } = request;
  const { fast, connection } = store;
  if (fast === undefined || isInPlace(request) || Object.keys(overrides).some((name) => !FAST_OVERRIDES.has(name)))
    return "refused";
  const redirect = await redirectOf(store, request, call);
  if (redirect !== undefined && headerBytes(redirect) !== redirect) return "refused";
  const headers: Record<string, string> = {
    "x-amz-copy-source": copySource(source),
    "x-amz-copy-source-if-match": quoteEtag(source.etag),
  };
  const storageClass = carriedStorageClass(source.storageClass, overrides);
  if (storageClass !== undefined) headers["x-amz-storage-class"] = storageClass;
  Object.assign(headers, keyHeaders(keyOfSource(store, pinnedRef(source)), "source"));
  Object.assign(headers, keyHeaders(store.customerKeys.write, "object"));
  if (redirect !== undefined) headers["x-amz-website-redirect-location"] = redirect;
  if (ifMatch !== undefined) headers["if-match"] = quoteEtag(ifMatch);
  if (ifNoneMatch !== undefined) headers["if-none-match"] = ifNoneMatch;
  if (connection.expectedBucketOwner !== undefined)
    headers["x-amz-source-expected-bucket-owner"] = connection.expectedBucketOwner;
  const answer = await fast.send({ operation: "CopyObject", bucket, key, headers, about, bytes: source.size }, call);
  if (answer.outcome !== "done") return answer.outcome;
  const etag = copyResultEtag(answer.body);
  if (etag === undefined) return "unknown";
  const versionId = answer.headers["x-amz-version-id"];
  return { bucket, key, etag, ...(typeof versionId === "string" && { versionId }) };
}

async function copyInput(store: Store, request: CopyRequest, call: Call): Promise<CopyObjectCommandInput> {
  const { source, bucket, key, overrides = {}, ifMatch, ifNoneMatch } = request;
  const owner = store.connection.expectedBucketOwner;
  const redirect = await redirectOf(store, request, call);
  return {
    Bucket: bucket,
    Key: key,
    CopySource: copySource(source),
    CopySourceIfMatch: quoteEtag(source.etag),
    ...(redirect !== undefined && { WebsiteRedirectLocation: redirect }),
    ...protectionInput(overrides),
    ...(await replacedHeaders(store, request, call)),
    ...(overrides.tags !== undefined && { TaggingDirective: "REPLACE", Tagging: "", ...taggingInput(overrides.tags) }),
    ...storageInput(carriedStorageClass(source.storageClass, overrides)),
    ...encryptionInput(overrides.encryption),
    ...(ifMatch !== undefined && { IfMatch: quoteEtag(ifMatch) }),
    ...(ifNoneMatch !== undefined && { IfNoneMatch: ifNoneMatch }),
    ...(owner !== undefined && { ExpectedSourceBucketOwner: owner }),
    ...sourceKeyInput(keyOfSource(store, pinnedRef(source))),
    ...writeKeyInput(store),
    ...ownedBy(store),
  };
}

/** Whether a copy takes its source's place. S3 takes one only where it says that something changes, and tags or access alone are not enough for it. */
function isInPlace({ source, bucket, key }: CopyRequest): boolean {
  return source.bucket === bucket && source.key === key && source.versionNamed !== true;
}

/** S3 either copies all headers and metadata or drops them all: to replace one, the others have to be sent again. */
async function replacedHeaders(
  store: Store,
  request: CopyRequest,
  call: Call,
): Promise<Partial<CopyObjectCommandInput>> {
  const { source, overrides = {} } = request;
  const inPlace = isInPlace(request);
  if (!replacesHeaders(overrides) && !inPlace) return {};
  const facts = await headFacts(store, { object: pinnedRef(source) }, call);
  if (!isPinned(facts.details, source)) throw sourceChanged(source, `found ${facts.details.etag}`);
  return {
    MetadataDirective: "REPLACE",
    ...carriedHeaders(facts, overrides),
    // Afterwards the source is not there to be asked.
    ...(inPlace && {
      ...storageInput(carriedStorageClass(facts.details.storageClass, overrides)),
      ...encryptionInput(overrides.encryption ?? carriedKms(store, facts)),
    }),
  };
}

/**
 * The website redirect, which no CopyObject carries over. A pin that was looked at knows it; one from a listing does not, and is looked
 * at where the object is empty, as objects that only redirect are.
 */
async function redirectOf(store: Store, request: CopyRequest, call: Call): Promise<string | undefined> {
  const { source, overrides = {} } = request;
  const known = overrides.websiteRedirect ?? source.websiteRedirect;
  if (known !== undefined) return known === "" ? undefined : known;
  if (source.size > 0 || replacesHeaders(overrides)) return undefined;
  return (await findFacts(store, { object: pinnedRef(source) }, call))?.carried.attributes.get("websiteRedirect");
}

/** 412 may be the source's condition or the destination's, or our own copy of an earlier try whose answer was lost. */
export async function resolveRefusal(
  store: Store,
  request: CopyRequest,
  error: unknown,
  unknownBefore: boolean,
  call: Call,
): Promise<Copied> {
  if (!(error instanceof ActivityError) || error.httpStatus !== 412) throw error;
  const { source, bucket, key, ifMatch, ifNoneMatch } = request;
  if (ifMatch === undefined && ifNoneMatch === undefined) throw sourceChanged(source, "it is another now", error);
  const now = await findFacts(store, { object: pinnedRef(source) }, call);
  if (now === undefined || !isPinned(now.details, source)) throw sourceChanged(source, "it is another now", error);
  if (unknownBefore || triedBefore(error)) {
    const ours = await proves(store, { source, bucket, key }, call);
    if (ours !== undefined) return ours;
  }
  const expected = ifNoneMatch === undefined ? `an object with ETag ${unquoteEtag(ifMatch ?? "")}` : "no object";
  throw new ActivityError("PreconditionFailed", `expected ${expected} at ${nameOf({ bucket, key })}`, {
    httpStatus: 412,
    requestId: error.requestId,
    cause: error,
  });
}

/** Whether this answer is to a repeated request, whose first try may have taken effect. */
function triedBefore({ cause }: ActivityError): boolean {
  if (typeof cause !== "object" || cause === null || !("$metadata" in cause)) return false;
  // The SDK counts its attempts here.
  return ((cause.$metadata as { readonly attempts?: number } | undefined)?.attempts ?? 1) > 1;
}
