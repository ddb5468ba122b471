import { Readable } from "node:stream";
import {
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandOutput,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import { type About, nameOf, unproven } from "../error-mapping.ts";
import { removeUpload } from "./open-upload.ts";
import { type PartsRun, partTimeout, sendPart } from "./run.ts";
import { send } from "../transport/send.ts";
import { ownedBy } from "../options.ts";
import { writeKeyInput } from "../requests/customer-key.ts";
import { openStreamUpload } from "./stream-upload.ts";

/**
 * Uploads parts one after the other straight from the stream, holding none: for objects whose parts do not fit into memory.
 * A part cannot be sent twice, so any failure ends the upload.
 */
export async function streamParts(
  run: PartsRun,
  params: CreateMultipartUploadCommandInput,
): Promise<CompleteMultipartUploadCommandOutput> {
  const { store, request, region, partSize, controller } = run;
  const { Bucket, Key } = params;
  const target = { bucket: request.bucket, key: request.key, region };
  // Parts may carry checksums only where the upload was begun with the same kind.
  const sums = store.connection.checksums === "when-supported" ? ({ ChecksumAlgorithm: "CRC32" } as const) : {};
  const make = (): CreateMultipartUploadCommand => new CreateMultipartUploadCommand({ ...params, ...sums });
  const { UploadId } = await openStreamUpload(store, request, { region, partSize, make }, controller.signal);
  const upload = { Bucket, Key, UploadId, ...writeKeyInput(store), ...ownedBy(store) };
  try {
    const Parts = await sendAll(run, upload);
    return await sendPart(
      run,
      new CompleteMultipartUploadCommand({ ...params, ...upload, MultipartUpload: { Parts } }),
    );
  } catch (error) {
    await removeUpload(store, target, UploadId);
    throw error;
  }
}

type Part = { readonly PartNumber: number; readonly ETag: string; readonly ChecksumCRC32?: string };
type UploadInput = { readonly Bucket: string | undefined; readonly Key: string | undefined; readonly UploadId: string };

async function sendAll(
  { store, request, region, partSize, body, controller }: PartsRun,
  upload: UploadInput,
): Promise<Part[]> {
  const parts: Part[] = [];
  const about: About = { operation: "UploadPart", bucket: request.bucket, key: request.key };
  // Read through one iterator, so that the bytes beyond a part's end open the next one.
  const chunks = body.stream.iterator({ destroyOnReturn: false });
  let rest: Buffer = Buffer.alloc(0);
  for (let sent = 0; sent < request.size;) {
    const length = Math.min(partSize, request.size - sent);
    const PartNumber = parts.length + 1;
    const Body = Readable.from(partBytes(length), { objectMode: false });
    const make = (): UploadPartCommand => new UploadPartCommand({ ...upload, PartNumber, Body, ContentLength: length });
    const limits = { region, timeoutMs: partTimeout(store, length), bytes: length };
    const { ETag, ChecksumCRC32 } = await send(store, make, about, { signal: controller.signal }, limits);
    if (ETag === undefined || ETag === "") throw unproven(about, "the part's ETag", 200);
    parts.push({ PartNumber, ETag, ...(ChecksumCRC32 !== undefined && { ChecksumCRC32 }) });
    sent += length;
  }
  return parts;

  async function nextChunk(): Promise<Buffer | undefined> {
    try {
      const next = await chunks.next();
      if (next.done !== true) return next.value;
      controller.abort(
        new ActivityError("IncompleteBody", `the content for ${nameOf(about)} ended too early`, { retryable: true }),
      );
    } catch (error) {
      controller.abort(error);
    }
    return undefined;
  }

  async function* partBytes(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0;) {
      if (rest.length === 0) rest = (await nextChunk()) ?? rest;
      // The upload has ended, and so has this part: an error thrown here would end the process, see uploadBody.
      if (rest.length === 0) return;
      const slice = rest.subarray(0, left);
      rest = rest.subarray(slice.length);
      left -= slice.length;
      yield slice;
    }
  }
}
