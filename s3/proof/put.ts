import type { Readable } from "node:stream";
import { ActivityError } from "../../model/activity-error.ts";
import type { ObjectDetails } from "../../model/entities.ts";
import type { AttributeInput } from "../requests/attributes/input.ts";
import { isUnknownOutcome, nameOf } from "../error-mapping.ts";
import { isSinglePartEtag, quoteEtag, unquoteEtag } from "../../model/etag.ts";
import { findFacts, headFacts } from "../requests/head.ts";
import type { Call, Upload } from "../interface.ts";
import type { Store } from "../store.ts";
import type { Tags } from "../requests/tags.ts";
import type { UploadBody } from "../parts/upload-body.ts";

/** What to send, with the attributes already as the SDK wants them. */
export type PutRequest = Pick<
  Upload,
  | "bucket"
  | "key"
  | "body"
  | "size"
  | "sha256"
  | "selfVerified"
  | "ownsChunks"
  | "ifNoneMatch"
  | "ifMatch"
  | "upload"
  | "onBytes"
> & {
  readonly attributes: AttributeInput;
  /** Those that `attributes` ask for, to be looked up afterwards. */
  readonly tags?: Tags | undefined;
  /** Tells a later attempt whether it has the same content, where its SHA-256 is not known. */
  readonly content?: string | undefined;
  /** An object in parts of one size, whose ETag follows from their MD5s: a later attempt need not read again what was sent. */
  readonly source?: SourceParts | undefined;
};

/** Where a body comes from, and how it can be read from some byte on. */
export type SourceParts = {
  readonly etag: string;
  readonly partSize: number;
  /** Whether all parts but the last have that size. */
  readonly areAlike: () => Promise<boolean>;
  readonly reopen: (start: number, signal: AbortSignal) => Promise<Readable>;
};

/** What has to be known of the body that was sent. */
export type SentBody = Pick<UploadBody, "complete">;

/** What the store has now. */
export type PutResult = {
  readonly object: ObjectDetails;
  /** Whether the store's ETag or checksum showed that it has the bytes that were sent; else their number did. */
  readonly exact: boolean;
  /** Whether what was sent is the source, by the source's ETag; only where the request names its parts. */
  readonly sourceProven?: boolean;
};

/** What one way of sending got back. */
export type Stored = {
  readonly etag: string;
  readonly versionId?: string | undefined;
  readonly sha256?: string | undefined;
  readonly encryption?: string | undefined;
};

/** The destination's conditions as the SDK takes them. */
export function conditions(
  { learned }: Store,
  { ifMatch, ifNoneMatch }: PutRequest,
): { IfMatch?: string; IfNoneMatch?: string } {
  return {
    ...(ifMatch !== undefined && { IfMatch: learned.has("bare-if-match") ? unquoteEtag(ifMatch) : quoteEtag(ifMatch) }),
    ...(ifNoneMatch !== undefined && { IfNoneMatch: ifNoneMatch }),
  };
}

/** Compares what the store says it has with what was sent; throws `VerificationFailed`. */
export async function provenPut(
  store: Store,
  request: PutRequest,
  stored: Stored,
  expectedEtag: string,
  call: Call,
): Promise<PutResult> {
  const { bucket, key, size, sha256 } = request;
  const checksum =
    stored.sha256 !== undefined &&
    sha256 !== undefined &&
    stored.sha256 === Buffer.from(sha256, "hex").toString("base64");
  const exact = stored.etag === expectedEtag || checksum;
  const plain = stored.encryption === undefined || stored.encryption === "AES256";
  const comparable = isSinglePartEtag(stored.etag) && isSinglePartEtag(expectedEtag) && plain;
  if (!exact && comparable)
    throw failed(request, `expected ETag ${expectedEtag}, the content's MD5, got ${stored.etag}`);
  const object = await stateOf(store, request, stored, exact, call);
  if (object.size !== size) throw failed({ bucket, key }, `expected ${size} bytes, found ${object.size}`);
  return { object, exact };
}

/**
 * Ceph's gateway takes the quotes of a write's If-Match for part of the ETag, and refuses the right one. Where the object still has it after
 * a refusal, the next attempt sends it bare; this one cannot, for its body is gone.
 */
export async function learnFromRefusal(
  store: Store,
  request: PutRequest,
  error: unknown,
  call: Call,
): Promise<unknown> {
  const { bucket, key, ifMatch } = request;
  if (error instanceof ActivityError && wantsDigest(error) && !store.learned.has("md5-wanted")) {
    store.learned.learn(store.learned.has("digests-wanted") ? "md5-wanted" : "digests-wanted");
    const sentence = `the store takes ${nameOf({ bucket, key })} only with a digest, which the next attempt sends`;
    return new ActivityError(error.code, sentence, { httpStatus: 400, retryable: true, cause: error });
  }
  const refused = error instanceof ActivityError && error.httpStatus === 412;
  if (
    !refused ||
    ifMatch === undefined ||
    store.connection.endpoint === undefined ||
    store.learned.has("bare-if-match")
  )
    return error;
  const now = await findFacts(store, { object: { bucket, key } }, call);
  if (now?.details.etag !== unquoteEtag(ifMatch)) return error;
  store.learned.learn("bare-if-match");
  const sentence = `the store refused If-Match with quotes for ${nameOf({ bucket, key })}, which has that ETag`;
  return new ActivityError("PreconditionFailed", sentence, { httpStatus: 412, retryable: true, cause: error });
}

/** Buckets with Object Lock take no upload without a digest. https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
function wantsDigest({ httpStatus, code, message }: ActivityError): boolean {
  return httpStatus === 400 && (code === "MissingContentMD5" || /content-md5|x-amz-checksum/i.test(message));
}

function failed(object: { bucket: string; key: string }, found: string): ActivityError {
  return new ActivityError(
    "VerificationFailed",
    `${nameOf({ bucket: object.bucket, key: object.key })} is not proven: ${found}`,
    { retryable: true },
  );
}

/** The object as it now is. Who may only write cannot look, but then an exact ETag has already said enough. */
async function stateOf(
  store: Store,
  request: PutRequest,
  stored: Stored,
  exact: boolean,
  call: Call,
): Promise<ObjectDetails> {
  const { bucket, key, size, attributes } = request;
  const written: ObjectDetails = {
    bucket,
    key,
    size,
    etag: stored.etag,
    lastModified: new Date().toISOString(),
    storageClass: attributes.StorageClass ?? "STANDARD",
    metadata: {},
    ...(attributes.ContentType !== undefined && { contentType: attributes.ContentType }),
    ...(stored.versionId !== undefined && { versionId: stored.versionId }),
  };
  try {
    const { details } = await headFacts(store, { object: { bucket, key, versionId: stored.versionId } }, call);
    if (details.etag === stored.etag) return details;
    if (exact) return written;
    throw failed(request, `expected ETag ${stored.etag}, found ${details.etag}`);
  } catch (error) {
    const unreadable = error instanceof ActivityError && (error.code === "AccessDenied" || error.code === "NoSuchKey");
    if (exact && unreadable) return written;
    throw error;
  }
}

/** Where the answer was lost after the whole body went out, the store itself tells whether it took effect. */
export async function recover(
  store: Store,
  request: PutRequest,
  error: unknown,
  expectedEtag: string,
  body: SentBody,
  call: Call,
): Promise<PutResult> {
  call.signal.throwIfAborted();
  if (!isUnknownOutcome(error) || !body.complete() || expectedEtag === "") throw error;
  const { bucket, key, size } = request;
  const now = await findFacts(store, { object: { bucket, key } }, call);
  if (now === undefined || now.details.etag !== expectedEtag || now.details.size !== size) throw error;
  return { object: now.details, exact: true };
}
