import { PutObjectCommand } from "@aws-sdk/client-s3";
import { ActivityError } from "../../jobs/activity-error.ts";
import type { ObjectDetails } from "../../jobs/entities.ts";
import { attributeInput, type AttributeInput } from "./attributes.ts";
import { type About, isUnknownOutcome, nameOf, unproven } from "./error-mapping.ts";
import { isSinglePartEtag, quoteEtag, unquoteEtag } from "./etag.ts";
import { findFacts, headFacts } from "./head.ts";
import { putParts } from "./put-parts.ts";
import type { Call, Upload } from "./s3.ts";
import { regionOf, send } from "./send.ts";
import { ownedBy, type Store } from "./store.ts";
import { type UploadBody, uploadBody } from "./upload-body.ts";

/** PutObject's limit. https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
const MAX_SINGLE_PUT = 5 * 1024 ** 3;

/** What to send, with the attributes already as the SDK wants them. */
export type PutRequest = Pick<Upload, "bucket" | "key" | "body" | "size" | "sha256" | "ifNoneMatch" | "ifMatch"> & {
  readonly attributes: AttributeInput;
  /** What the whole body's MD5 must be, hex. */
  readonly md5?: string;
  readonly onBytes?: ((bytes: number) => void) | undefined;
};

/** What the store has now. */
export type PutResult = {
  readonly object: ObjectDetails;
  /** Hex, of all that was sent, where it was wanted or the upload had one part. */
  readonly md5?: string;
  /** Whether the store's ETag or checksum showed that it has the bytes that were sent; else their number did. */
  readonly exact: boolean;
};

/** What one way of sending got back. */
export type Stored = {
  readonly etag: string;
  readonly versionId?: string | undefined;
  readonly sha256?: string | undefined;
  readonly encryption?: string | undefined;
};

export async function put(store: Store, upload: Upload, call: Call): Promise<ObjectDetails> {
  const { attributes, ...rest } = upload;
  return (await putVerified(store, { ...rest, attributes: attributeInput(attributes) }, call)).object;
}

/** Sends a body in one request or in parts, and proves that the store has it. Memory does not grow with the body. */
export async function putVerified(store: Store, request: PutRequest, call: Call): Promise<PutResult> {
  const { bucket, key } = request;
  const about: About = { operation: "PutObject", bucket, key };
  const single = request.size <= Math.min(store.connection.multipartThreshold, MAX_SINGLE_PUT);
  try {
    await checkCondition(store, request, call);
    // A stream cannot be sent twice, so a redirect must not come in its way.
    const region = await regionOf(store, bucket, call);
    return single
      ? await putWhole(store, request, region, about, call)
      : await putParts(store, request, region, about, call);
  } finally {
    request.body.destroy();
  }
}

/** Other stores may ignore a write's condition, so there it is looked at beforehand too. */
async function checkCondition(
  store: Store,
  { bucket, key, ifMatch, ifNoneMatch }: PutRequest,
  call: Call,
): Promise<void> {
  if (store.connection.endpoint === undefined || (ifMatch === undefined && ifNoneMatch === undefined)) return;
  const now = await findFacts(store, { object: { bucket, key } }, call);
  const met =
    ifNoneMatch !== undefined
      ? now === undefined
      : now !== undefined && now.details.etag === unquoteEtag(ifMatch ?? "");
  if (met) return;
  const expected = ifNoneMatch !== undefined ? "no object" : `ETag ${ifMatch ?? ""}`;
  const found = now === undefined ? "none" : `ETag ${now.details.etag}`;
  throw new ActivityError("PreconditionFailed", `expected ${expected} at ${nameOf({ bucket, key })}, found ${found}`, {
    httpStatus: 412,
  });
}

async function putWhole(
  store: Store,
  request: PutRequest,
  region: string,
  about: About,
  call: Call,
): Promise<PutResult> {
  const { bucket, key, size, sha256 } = request;
  const watch = watchdog(store, about, call.signal);
  const onBytes = (bytes: number): void => {
    watch.moved();
    request.onBytes?.(bytes);
  };
  const body = uploadBody({ body: request.body, size, sha256, md5: request.md5 ?? true, about, onBytes });
  // The SDK pipes the body and does not hear of its failure.
  body.stream.on("error", watch.fail);
  const useSha256 = sha256 !== undefined && store.connection.checksums === "when-supported";
  const make = (): PutObjectCommand =>
    new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: body.stream,
      ContentLength: size,
      ...request.attributes,
      ...conditions(request),
      ...(useSha256 && { ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64") }),
      ...ownedBy(store),
    });
  try {
    const answer = await send(store, make, about, { signal: watch.signal }, { timeoutMs: "none", region, bytes: size });
    const etag = unquoteEtag(answer.ETag ?? "");
    if (etag === "") throw unproven(about, "the object's ETag", 200);
    const stored = {
      etag,
      versionId: answer.VersionId,
      sha256: answer.ChecksumSHA256,
      encryption: answer.ServerSideEncryption,
    };
    return await provenPut(store, request, stored, body.md5() ?? "", body, call);
  } catch (error) {
    return await recover(store, request, error, body.md5() ?? "", body, call);
  } finally {
    watch.stop();
    body.stream.destroy();
  }
}

export function conditions({ ifMatch, ifNoneMatch }: PutRequest): { IfMatch?: string; IfNoneMatch?: string } {
  return {
    ...(ifMatch !== undefined && { IfMatch: quoteEtag(ifMatch) }),
    ...(ifNoneMatch !== undefined && { IfNoneMatch: ifNoneMatch }),
  };
}

/** Compares what the store says it has with what was sent; throws `VerificationFailed`. */
export async function provenPut(
  store: Store,
  request: PutRequest,
  stored: Stored,
  expectedEtag: string,
  body: UploadBody,
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
  const md5 = body.md5();
  return { object, exact, ...(md5 !== undefined && { md5 }) };
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
  body: UploadBody,
  call: Call,
): Promise<PutResult> {
  call.signal.throwIfAborted();
  if (!isUnknownOutcome(error) || !body.complete() || expectedEtag === "") throw error;
  const { bucket, key, size } = request;
  const now = await findFacts(store, { object: { bucket, key } }, call);
  if (now === undefined || now.details.etag !== expectedEtag || now.details.size !== size) throw error;
  const md5 = body.md5();
  return { object: now.details, exact: true, ...(md5 !== undefined && { md5 }) };
}

type Watchdog = {
  readonly signal: AbortSignal;
  readonly moved: () => void;
  readonly fail: (error: unknown) => void;
  readonly stop: () => void;
};

/** Ends an upload whose bytes no longer move, or whose answer does not come after the last one; a slow but moving one may take its time. */
function watchdog({ settings, name }: Store, about: About, signal: AbortSignal): Watchdog {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal.reason);
  const patience = Math.max(settings.idleTimeoutMs, settings.requestTimeoutMs);
  const onIdle = (): void =>
    controller.abort(
      new ActivityError("Timeout", `${name} took no byte of ${nameOf(about)} and gave no answer in time`, {
        retryable: true,
      }),
    );
  let timer = setTimeout(onIdle, patience);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  return {
    signal: controller.signal,
    moved() {
      clearTimeout(timer);
      timer = setTimeout(onIdle, patience);
    },
    fail: (error) => controller.abort(error),
    stop() {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    },
  };
}
