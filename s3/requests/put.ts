import { PutObjectCommand, type PutObjectCommandInput } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import type { ObjectDetails } from "../../model/entities.ts";
import { partsAbove } from "../../credentials/connection.ts";
import { attributeInput } from "./attributes/input.ts";
import { type About, nameOf, unproven } from "../error-mapping.ts";
import { unquoteEtag } from "../../model/etag.ts";
import { encryptionOf, writeKeyInput } from "./customer-key.ts";
import { findFacts } from "./head.ts";
import { putParts } from "../parts/put.ts";
import { signPayload } from "../transport/sign-payload.ts";
import { conditions, learnFromRefusal, provenPut, type PutRequest, type PutResult, recover } from "../proof/put.ts";
import type { Call, Upload } from "../interface.ts";
import { regionOf, send } from "../transport/send.ts";
import { ownedBy } from "../options.ts";
import { lockOfWrite, settleLock } from "../proof/settle-lock.ts";
import type { Store } from "../store.ts";
import { settleTags } from "./tags.ts";
import { removeEarlierUpload } from "../parts/stream-upload.ts";
import { uploadBody } from "../parts/upload-body.ts";

/** PutObject's limit. https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
const MAX_SINGLE_PUT = 5 * 1024 ** 3;

/** Base64, of no bytes. */
const EMPTY_MD5 = "1B2M2Y8AsgTpgAmY7PhCfg==";

/** Uploads and verifies; attributes that are not given are S3's defaults. */
export async function put(store: Store, upload: Upload, call: Call): Promise<ObjectDetails> {
  const { attributes, ...rest } = upload;
  return (await putVerified(store, { ...rest, attributes: attributeInput(attributes), tags: attributes.tags }, call))
    .object;
}

/** Sends a body in one request or in parts, and proves that the store has it. Memory does not grow with the body. */
export async function putVerified(store: Store, asked: PutRequest, call: Call): Promise<PutResult> {
  // What the SDK says of a body with no type; uploads in parts, whose type comes without a body, are to have the same.
  const ContentType = asked.attributes.ContentType ?? "application/octet-stream";
  const request = { ...asked, attributes: { ...asked.attributes, ContentType, ...writeKeyInput(store) } };
  const { bucket, key } = request;
  const about: About = { operation: "PutObject", bucket, key };
  const single = goesWhole(store, request.size) && !wantsDigestOfParts(store, request);
  try {
    await checkCondition(store, request, call);
    // A stream cannot be sent twice, so a redirect must not come in its way.
    const region = await regionOf(store, bucket, call);
    // Of a time when other thresholds held.
    if (single) await removeEarlierUpload(store, request);
    const way = single ? putWhole : putParts;
    const result = await way(store, request, region, about, call);
    const written = { bucket, key, versionId: result.object.versionId };
    await settleTags(store, written, request.tags, call);
    await settleLock(store, written, lockOfWrite(request.attributes), call);
    return result;
  } catch (error) {
    throw await learnFromRefusal(store, request, error, call);
  } finally {
    request.body.destroy();
  }
}

/** Whether an upload of so many bytes is one request. */
export function goesWhole({ connection, learned }: Store, size: number): boolean {
  // Of a stream nobody knows the MD5 beforehand, only of its parts.
  if (learned.has("md5-wanted") && size > 0) return false;
  return size <= Math.min(partsAbove(connection, "sent"), MAX_SINGLE_PUT);
}

/** A bucket with Object Lock wants a digest. Of a stream there is one behind its end, which not every store takes, or one for each part. */
function wantsDigestOfParts({ connection }: Store, { attributes, sha256, size }: PutRequest): boolean {
  const locked = attributes.ObjectLockMode !== undefined || attributes.ObjectLockLegalHoldStatus !== undefined;
  return locked && sha256 === undefined && size > 0 && connection.checksums === "when-required";
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
  const body = uploadBody({
    fail: watch.fail,
    body: request.body,
    size,
    sha256,
    md5: true,
    about,
    onBytes,
  });
  const digest = digestOf(store, request);
  const make = (): PutObjectCommand => {
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: body.stream,
      ContentLength: size,
      ...request.attributes,
      ...conditions(store, request),
      ...digest,
      ...ownedBy(store),
    });
    // A store refuses other bytes than those that are signed for; where a key of KMS encrypts them, no ETag would tell afterwards.
    if (sha256 !== undefined && digest?.ChecksumSHA256 === undefined) signPayload(command.middlewareStack, sha256);
    return command;
  };
  try {
    const answer = await send(store, make, about, { signal: watch.signal }, { timeoutMs: "none", region, bytes: size });
    const etag = unquoteEtag(answer.ETag ?? "");
    if (etag === "") throw unproven(about, "the object's ETag", 200);
    const stored = {
      etag,
      versionId: answer.VersionId,
      sha256: answer.ChecksumSHA256,
      encryption: encryptionOf(answer),
    };
    return await provenPut(store, request, stored, body.md5() ?? "", call);
  } catch (error) {
    return await recover(store, request, error, body.md5() ?? "", body, call);
  } finally {
    watch.stop();
    body.stream.destroy();
  }
}

type Digest = Pick<PutObjectCommandInput, "ContentMD5" | "ChecksumAlgorithm" | "ChecksumSHA256">;

/** What the store compares the content with, where it takes or wants a digest. */
function digestOf({ learned, connection }: Store, { sha256, attributes }: PutRequest): Digest | undefined {
  const wanted = learned.has("digests-wanted") || attributes.ObjectLockMode !== undefined;
  // Only what is empty comes here then.
  const md5 = learned.has("md5-wanted");
  if (!md5 && sha256 !== undefined && (wanted || connection.checksums === "when-supported"))
    return { ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64") };
  if (!wanted) return undefined;
  return md5 ? { ContentMD5: EMPTY_MD5 } : { ChecksumAlgorithm: "CRC32" };
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
