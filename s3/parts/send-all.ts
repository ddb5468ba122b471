import { Readable } from "node:stream";
import {
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandOutput,
  CreateMultipartUploadCommand,
} from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import { type About, nameOf, unproven } from "../error-mapping.ts";
import { isSinglePartEtag, unquoteEtag } from "../../model/etag.ts";
import { hasPlainEtag } from "../proof/content.ts";
import { encryptionOf, writeKeyInput } from "../requests/customer-key.ts";
import { conditions, type PutRequest } from "../proof/put.ts";
import { writtenVersion } from "../proof/written-version.ts";
import type { Call } from "../interface.ts";
import { ownedBy } from "../options.ts";
import { send } from "../transport/send.ts";
import { cutIntoParts, type PartBytes } from "./cut.ts";
import { type PartsUpload, type SentPart, sendPart } from "./send-one.ts";
import { createSending } from "./sending.ts";
import { openUpload, removeUpload } from "./open-upload.ts";
import { compositeEtag } from "../../model/content/part-etags.ts";
import { beginUpload, endUpload, type OpenUpload, type UploadedPart } from "./upload.ts";

/** What the store answered, and what it should have. */
export type SentParts = {
  readonly stored: {
    readonly etag: string;
    readonly versionId?: string | undefined;
    readonly encryption?: string | undefined;
  };
  /** Whether the parts are those of the source, by its ETag. */
  readonly sourceProven: boolean;
};

/**
 * Sends a body in parts, several at once, each with its MD5 and again by itself where only it met trouble. Parts that an earlier attempt
 * left in the store are not sent again where their MD5s are those of the content now. Nothing becomes visible before the whole content was
 * seen to be what was promised.
 *
 * @param onSent told the expected ETag before the last request, whose answer may be lost
 */
export async function sendParts(
  upload: PartsUpload,
  onSent: (expectedEtag: string) => void,
  call: Call,
): Promise<SentParts> {
  const { store, request, partSize } = upload;
  const open = await beginUpload(
    store,
    { ...request, content: contentOf(request), partSize },
    () => createUpload(upload, call),
    call,
  );
  try {
    const parts = await sendAll(upload, open, call);
    const expectedEtag = compositeEtag(parts.map(({ md5 }) => md5));
    const sourceProven = await isSource(upload, open, expectedEtag);
    onSent(expectedEtag);
    const answer = await complete(upload, open, parts, call);
    const etag = unquoteEtag(answer.ETag ?? "");
    if (etag === "")
      throw unproven({ ...upload.about, operation: "CompleteMultipartUpload" }, "the object's ETag", 200);
    await request.upload?.clear();
    const versionId = writtenVersion(answer.VersionId);
    return { stored: { etag, versionId, encryption: encryptionOf(answer) }, sourceProven };
  } catch (error) {
    await endUpload(store, request, open, error, call);
    throw error;
  }
}

/**
 * Whether the source's ETag follows from the MD5s of these parts, those of an earlier attempt among them. Throws `VerificationFailed` where it
 * should and does not; nobody can tell which part it is, so the next attempt begins anew.
 */
async function isSource(
  { store, request }: PartsUpload,
  { uploadId, partSize, done }: OpenUpload,
  expectedEtag: string,
): Promise<boolean> {
  const { source } = request;
  if (source === undefined || source.partSize !== partSize) return false;
  if (source.etag.toLowerCase() === expectedEtag) return true;
  if (done.size === 0 && !(await source.areAlike())) return false;
  await removeUpload(store, request, uploadId);
  await request.upload?.clear();
  const sentence = `the parts for ${nameOf(request)} are not those of the source: expected ETag ${source.etag}, got ${expectedEtag}`;
  throw new ActivityError("VerificationFailed", sentence, { retryable: true });
}

/** What tells whether a later attempt has the same content; empty where nothing does. */
function contentOf({ sha256, content = "" }: PutRequest): string {
  return sha256 === undefined ? content : `sha256:${sha256}`;
}

async function createUpload({ store, request, region }: PartsUpload, call: Call): Promise<string> {
  const { bucket, key, attributes } = request;
  // Parts may carry checksums only where the upload was begun with the same kind.
  const sums = store.connection.checksums === "when-supported" ? ({ ChecksumAlgorithm: "CRC32" } as const) : {};
  const make = (): CreateMultipartUploadCommand =>
    new CreateMultipartUploadCommand({ Bucket: bucket, Key: key, ...attributes, ...sums, ...ownedBy(store) });
  return (await openUpload(store, { bucket, key, region }, make, call.signal)).UploadId;
}

async function sendAll(upload: PartsUpload, open: OpenUpload, call: Call): Promise<SentPart[]> {
  const { store, request, about } = upload;
  const { partSize } = open;
  const controller = new AbortController();
  const stop = (): void => controller.abort(call.signal.reason);
  call.signal.addEventListener("abort", stop, { once: true });
  const sent = knownPrefix(request, open);
  const after = sent.length;
  const free: Buffer[] = [];
  const sending = createSending(store, partSize, request.size);
  try {
    for (const { PartNumber } of sent)
      request.onBytes?.(Math.min(partSize, request.size - (PartNumber - 1) * partSize));
    const body = after === 0 ? request.body : await reopen(request, after * partSize, controller.signal);
    // Whoever reads it sees the error, and after the last byte nobody does.
    body.on("error", () => undefined);
    const end = (): void => void body.destroy(asError(controller.signal.reason));
    controller.signal.addEventListener("abort", end, { once: true });
    if (call.signal.aborted) stop();
    const { size } = request;
    const ownsChunks = request.ownsChunks === true;
    const sha256 = after === 0 && request.selfVerified !== true ? request.sha256 : undefined;
    for await (const part of cutIntoParts({ body, size, partSize, after, sha256, ownsChunks, free, about })) {
      const known = alreadyThere(open, part);
      const done = (result: SentPart): void => {
        sent.push(result);
        request.onBytes?.(part.bytes.length);
        free.push(part.bytes);
      };
      if (known === undefined)
        await sending.add(
          part.number,
          async () => done(await sendPart(upload, open, part, { signal: controller.signal })),
          controller,
        );
      else done({ ...known, md5: part.md5 });
      controller.signal.throwIfAborted();
    }
  } catch (error) {
    controller.abort(error);
  }
  await sending.settled();
  call.signal.removeEventListener("abort", stop);
  if (controller.signal.aborted) throw controller.signal.reason;
  return sent.toSorted((one, other) => one.PartNumber - other.PartNumber);
}

/** Parts at the beginning that an earlier attempt sent and that need not be read again: their ETags take part in what is compared in the end. */
function knownPrefix({ source, bucket, attributes }: PutRequest, { partSize, done }: OpenUpload): SentPart[] {
  const plain = hasPlainEtag({ bucket, encryption: encryptionOf(attributes) });
  if (source === undefined || source.partSize !== partSize || !plain) return [];
  const prefix: SentPart[] = [];
  for (let part = done.get(1); part !== undefined; part = done.get(prefix.length + 1)) {
    const etag = unquoteEtag(part.ETag);
    if (!isSinglePartEtag(etag)) break;
    prefix.push({ ...part, md5: Buffer.from(etag, "hex") });
  }
  return prefix;
}

async function reopen({ body, source, size }: PutRequest, start: number, signal: AbortSignal): Promise<Readable> {
  body.destroy();
  if (source === undefined || start >= size) return Readable.from([]);
  return await source.reopen(start, signal);
}

/** A part of an earlier attempt, where its ETag shows that it is the same bytes. */
function alreadyThere({ done }: OpenUpload, { number, md5 }: PartBytes): UploadedPart | undefined {
  const known = done.get(number);
  return known !== undefined && unquoteEtag(known.ETag).toLowerCase() === md5.toString("hex") ? known : undefined;
}

async function complete(
  { store, request, region, about: put }: PartsUpload,
  { uploadId: UploadId }: OpenUpload,
  sent: readonly SentPart[],
  call: Call,
): Promise<CompleteMultipartUploadCommandOutput> {
  const { bucket: Bucket, key: Key } = request;
  const about: About = { ...put, operation: "CompleteMultipartUpload" };
  // An earlier attempt may have sent parts without checksums; then none may be named.
  const sums = sent.every(({ ChecksumCRC32 }) => ChecksumCRC32 !== undefined);
  const Parts = sent.map(({ PartNumber, ETag, ChecksumCRC32 }) => ({
    PartNumber,
    ETag,
    ...(sums && { ChecksumCRC32 }),
  }));
  const make = (): CompleteMultipartUploadCommand =>
    new CompleteMultipartUploadCommand({
      Bucket,
      Key,
      UploadId,
      MultipartUpload: { Parts },
      ...conditions(store, request),
      ...writeKeyInput(store),
      ...ownedBy(store),
    });
  return await send(store, make, about, call, { region });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
