import {
  type ChecksumAlgorithm,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import {
  carriedHeaders,
  carriedStorageClass,
  encryptionInput,
  carriedKms,
  storageInput,
  taggingInput,
} from "../requests/attributes/input.ts";
import { keyOfSource, sourceKeyInput, writeKeyInput } from "../requests/customer-key.ts";
import { copySource } from "../requests/copy-source.ts";
import { isPinned, sourceChanged } from "../proof/unchanged.ts";
import { type About, isUnknownOutcome, nameOf, unproven } from "../error-mapping.ts";
import { isSinglePartEtag, quoteEtag, unquoteEtag } from "../../model/etag.ts";
import { findFacts, headFacts } from "../requests/head.ts";
import { beginUpload, type CopyPart, endUpload, type OpenUpload } from "./upload.ts";
import { openUpload, removeUpload } from "./open-upload.ts";
import type { ObjectFacts } from "../requests/object-facts.ts";
import { retryPart } from "./retry.ts";
import { partSizeFor } from "./size.ts";
import type { Call, CopyProof, CopyRequest } from "../interface.ts";
import { send } from "../transport/send.ts";
import { ownedBy } from "../options.ts";
import type { Store } from "../store.ts";
import { settleTags } from "../requests/tags.ts";
import { compositeEtag } from "../../model/content/part-etags.ts";
import { copiedRef, type Copied, pinnedRef, verifyCopy } from "../proof/verify.ts";
import { settleLock } from "../proof/settle-lock.ts";
import { writtenVersion } from "../proof/written-version.ts";

/** Copies in parallel parts, each fenced by the pin, and carries over by hand what UploadPartCopy does not; the tags are those that the request says. Leaves no upload behind, unless it is to go on later. */
export async function multipartCopy(store: Store, request: CopyRequest, call: Call): Promise<CopyProof> {
  const { source } = request;
  const partSize = partSizeFor(source.size, store.settings.copyPartSize);
  const target = { ...request, size: source.size, content: source.etag, partSize };
  const upload = await beginUpload(store, target, () => createUpload(store, request, call), call);
  let copied: Copied;
  try {
    const parts = await copyParts(store, request, upload, call);
    await checkFence(store, request, call);
    copied = await complete(store, request, upload, parts, call);
  } catch (error) {
    await endUpload(store, request, upload, error, call);
    throw error;
  }
  await request.upload?.clear();
  const { proof } = await verifyCopy(store, request.source, copied, call);
  // Before the source may be deleted.
  await settleTags(store, copiedRef(copied), request.overrides?.tags, call);
  await settleLock(store, copiedRef(copied), request.overrides?.objectLock ?? {}, call);
  return proof;
}

async function createUpload(store: Store, request: CopyRequest, call: Call): Promise<string> {
  const { source, bucket, key, overrides = {} } = request;
  const facts = await headFacts(store, { object: pinnedRef(source) }, call);
  if (!isPinned(facts.details, source)) throw sourceChanged(source, `found ${facts.details.etag}`);
  const make = (): CreateMultipartUploadCommand =>
    new CreateMultipartUploadCommand({
      Bucket: bucket,
      Key: key,
      ...carriedHeaders(facts, overrides),
      ...taggingInput(overrides.tags),
      ...storageInput(carriedStorageClass(facts.details.storageClass, overrides)),
      ...encryptionInput(overrides.encryption ?? carriedKms(store, facts)),
      ...writeKeyInput(store),
      ...sameChecksum(store, facts),
      ...ownedBy(store),
    });
  return (await openUpload(store, { bucket, key }, make, call.signal)).UploadId;
}

/** Asks for the source's own kind of checksum, so that the two can be compared. */
function sameChecksum(
  store: Store,
  { details, checksumType }: ObjectFacts,
): { ChecksumAlgorithm?: ChecksumAlgorithm; ChecksumType?: "FULL_OBJECT" } {
  const algorithm = Object.keys(details.checksums ?? {}).find((name) => name.startsWith("CRC"));
  if (store.connection.checksums !== "when-supported" || algorithm === undefined || checksumType !== "FULL_OBJECT")
    return {};
  // A name that the store itself gave.
  return { ChecksumAlgorithm: algorithm as ChecksumAlgorithm, ChecksumType: "FULL_OBJECT" };
}

async function copyParts(store: Store, request: CopyRequest, upload: OpenUpload, call: Call): Promise<CopyPart[]> {
  const { size } = request.source;
  const { partSize, done } = upload;
  const count = Math.ceil(size / partSize);
  const parts: CopyPart[] = [...done.values()].map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
  for (const part of parts) request.onBytes?.(partLength(part.PartNumber, partSize, size));
  const missing = Array.from({ length: count }, (_, index) => index + 1).filter((number) => !done.has(number));
  // Ends the other parts with the first that fails for good.
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(call.signal.reason);
  call.signal.addEventListener("abort", onAbort, { once: true });
  if (call.signal.aborted) onAbort();
  const worker = async (): Promise<void> => {
    for (let number = missing.shift(); number !== undefined; number = missing.shift()) {
      parts.push(await copyPart(store, request, upload, number, { signal: controller.signal }));
      request.onBytes?.(partLength(number, partSize, size));
    }
  };
  const workers = Array.from({ length: Math.min(store.settings.copyParts, missing.length) }, () =>
    worker().catch((error: unknown) => {
      controller.abort(error);
    }),
  );
  await Promise.all(workers);
  call.signal.removeEventListener("abort", onAbort);
  if (controller.signal.aborted) throw controller.signal.reason;
  return parts.toSorted((one, other) => one.PartNumber - other.PartNumber);
}

function partLength(number: number, partSize: number, size: number): number {
  return Math.min(partSize, size - (number - 1) * partSize);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html */
async function copyPart(
  store: Store,
  request: CopyRequest,
  upload: OpenUpload,
  PartNumber: number,
  call: Call,
): Promise<CopyPart> {
  const { source, bucket, key } = request;
  const start = (PartNumber - 1) * upload.partSize;
  const bytes = partLength(PartNumber, upload.partSize, source.size);
  const about: About = { operation: "UploadPartCopy", bucket, key, from: pinnedRef(source) };
  const owner = store.connection.expectedBucketOwner;
  const make = (): UploadPartCopyCommand =>
    new UploadPartCopyCommand({
      Bucket: bucket,
      Key: key,
      UploadId: upload.uploadId,
      PartNumber,
      CopySource: copySource(source),
      CopySourceRange: `bytes=${start}-${start + bytes - 1}`,
      CopySourceIfMatch: quoteEtag(source.etag),
      ...(owner !== undefined && { ExpectedSourceBucketOwner: owner }),
      ...sourceKeyInput(keyOfSource(store, pinnedRef(source))),
      ...writeKeyInput(store),
      ...ownedBy(store),
    });
  const run = async (): Promise<CopyPart> => {
    const { CopyPartResult } = await send(store, make, about, call, { timeoutMs: store.settings.copyTimeoutMs, bytes });
    const ETag = CopyPartResult?.ETag ?? "";
    if (unquoteEtag(ETag) === "") throw unproven(about, "the part's ETag", 200);
    return { PartNumber, ETag };
  };
  try {
    return await retryPart(run, call.signal);
  } catch (error) {
    if (error instanceof ActivityError && error.httpStatus === 412)
      throw sourceChanged(source, "it is another now", error);
    throw error;
  }
}

/** Where the store does not fence parts, the source must still be the pinned one after the last of them, and before anything becomes visible. */
async function checkFence(store: Store, { source }: CopyRequest, call: Call): Promise<void> {
  if (store.connection.conditionalCopy) return;
  const now = await findFacts(store, { object: pinnedRef(source) }, call);
  if (now === undefined || !isPinned(now.details, source))
    throw sourceChanged(source, `found ${now?.details.etag ?? "none"}`);
}

async function complete(
  store: Store,
  request: CopyRequest,
  upload: OpenUpload,
  Parts: CopyPart[],
  call: Call,
): Promise<Copied> {
  const { bucket, key, ifMatch, ifNoneMatch } = request;
  const about: About = { operation: "CompleteMultipartUpload", bucket, key };
  const make = (): CompleteMultipartUploadCommand =>
    new CompleteMultipartUploadCommand({
      Bucket: bucket,
      Key: key,
      UploadId: upload.uploadId,
      MultipartUpload: { Parts },
      ...(ifMatch !== undefined && { IfMatch: quoteEtag(ifMatch) }),
      ...(ifNoneMatch !== undefined && { IfNoneMatch: ifNoneMatch }),
      ...writeKeyInput(store),
      ...ownedBy(store),
    });
  try {
    const answer = await send(store, make, about, call, { timeoutMs: store.settings.copyTimeoutMs });
    // S3 sends 200 first and may fail afterwards, in the body.
    const etag = unquoteEtag(answer.ETag ?? "");
    if (etag === "") throw unproven(about, "the object's ETag", 200);
    return { bucket, key, etag, versionId: writtenVersion(answer.VersionId) };
  } catch (error) {
    const ours = await completedAnyway(store, request, Parts, error, call);
    if (ours !== undefined) {
      // It may be the work of an earlier try, and this upload still open.
      if (!isGone(error)) await removeUpload(store, request, upload.uploadId);
      return ours;
    }
    if (!(error instanceof ActivityError) || error.httpStatus !== 412) throw error;
    const expected = ifNoneMatch === undefined ? `an object with ETag ${unquoteEtag(ifMatch ?? "")}` : "no object";
    throw new ActivityError("PreconditionFailed", `expected ${expected} at ${nameOf({ bucket, key })}`, {
      httpStatus: 412,
      cause: error,
    });
  }
}

/** Whether an upload whose answer was lost, or that is gone or refused when asked for again, is the object that is there now. */
async function completedAnyway(
  store: Store,
  { source, bucket, key }: CopyRequest,
  parts: readonly CopyPart[],
  error: unknown,
  call: Call,
): Promise<Copied | undefined> {
  call.signal.throwIfAborted();
  const refused = error instanceof ActivityError && error.httpStatus === 412;
  if (!isGone(error) && !refused && !isUnknownOutcome(error)) return undefined;
  const digests = parts.map(({ ETag }) => unquoteEtag(ETag));
  if (!digests.every(isSinglePartEtag)) return undefined;
  const expected = compositeEtag(digests.map((digest) => Buffer.from(digest, "hex")));
  const now = await findFacts(store, { object: { bucket, key } }, call);
  if (now === undefined || now.details.etag !== expected || now.details.size !== source.size) return undefined;
  return { bucket, key, etag: expected, versionId: now.details.versionId };
}

const isGone = (error: unknown): boolean => error instanceof ActivityError && error.code === "NoSuchUpload";
