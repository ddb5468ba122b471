import { ListPartsCommand, type ListPartsCommandOutput } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import { type About, isThrottle, unproven } from "../error-mapping.ts";
import { unquoteEtag } from "../../model/etag.ts";
import { removeUpload } from "./open-upload.ts";
import { MAX_PARTS } from "./size.ts";
import type { Call, UploadMemory, UploadState } from "../interface.ts";
import { send } from "../transport/send.ts";
import { ownedBy } from "../options.ts";
import type { Store } from "../store.ts";

export type CopyPart = { readonly PartNumber: number; readonly ETag: string };

/** A part that the store has. */
export type UploadedPart = CopyPart & { readonly ChecksumCRC32?: string };

/** An object that is to be made in parts. */
export type PartsTarget = {
  readonly bucket: string;
  readonly key: string;
  /** Bytes of the whole. */
  readonly size: number;
  /** Of a part, where the upload is begun anew. */
  readonly partSize: number;
  /** Tells whether an earlier attempt sent the same content; empty where nothing can tell. */
  readonly content: string;
  readonly upload?: UploadMemory | undefined;
};

/** Bytes of a part that an earlier attempt may have chosen, whatever is chosen now. */
const MAX_REMEMBERED = 64 * 1024 * 1024;

/** An upload in progress: a new one, or that of an earlier attempt with the parts it already has. */
export type OpenUpload = {
  readonly uploadId: string;
  readonly partSize: number;
  readonly done: ReadonlyMap<number, UploadedPart>;
};

/** Goes on with what an earlier attempt left, where it was copying the same content; else begins anew and remembers it. */
export async function beginUpload(
  store: Store,
  request: PartsTarget,
  create: () => Promise<string>,
  call: Call,
): Promise<OpenUpload> {
  const { content, partSize, upload: memory } = request;
  const earlier = await memory?.load();
  if (earlier !== undefined && memory !== undefined) {
    const done = await partsOf(store, request, earlier, call).catch(async (error: unknown): Promise<never> => {
      await endUpload(store, request, earlier, error, call);
      throw error;
    });
    if (done !== undefined && isSame(request, earlier)) return { ...earlier, done };
    if (done !== undefined) await removeUpload(store, request, earlier.uploadId);
    await memory.clear();
  }
  const uploadId = await create();
  const { bucket, key } = request;
  try {
    await memory?.save({ uploadId, partSize, etag: content, bucket, key });
  } catch (error) {
    await removeUpload(store, request, uploadId);
    throw error;
  }
  return { uploadId, partSize, done: new Map() };
}

/**
 * Whether an earlier upload was for the same content under the same name; what nothing tells of is never gone on with. Nor is one whose
 * parts would be more than an upload has: a list of billions of them would end the process.
 */
function isSame({ bucket, key, content, size, partSize }: PartsTarget, earlier: UploadState): boolean {
  const fits = Number.isSafeInteger(earlier.partSize) && earlier.partSize > 0 && earlier.partSize >= size / MAX_PARTS;
  // Nor with larger ones than are sent now, each of which is held in memory.
  if (!fits || earlier.partSize > Math.max(partSize, MAX_REMEMBERED)) return false;
  return content !== "" && earlier.etag === content && earlier.bucket === bucket && earlier.key === key;
}

/** After a failure: removes the upload, unless a later attempt is to go on with it. */
export async function endUpload(
  store: Store,
  request: Pick<PartsTarget, "bucket" | "key" | "upload">,
  upload: Pick<OpenUpload, "uploadId">,
  error: unknown,
  call: Call,
): Promise<void> {
  const why: unknown = call.signal.aborted ? call.signal.reason : error;
  if (request.upload !== undefined && !isFinal(why, request.upload)) return;
  await removeUpload(store, request, upload.uploadId);
  await request.upload?.clear();
}

/** A cancel is final and says so; a shutdown, a lost lock or SlowDown uses up no attempt; anything else is final at the last one. */
function isFinal(why: unknown, memory: UploadMemory): boolean {
  if (!(why instanceof ActivityError)) return false;
  if (!why.retryable) return true;
  return memory.lastAttempt === true && !isThrottle(why) && why.code !== "WorkerShutdown" && why.code !== "LockLost";
}

/** Parts the store already has, by number; `undefined` where the upload is gone. Parts of an unexpected size are copied again. */
async function partsOf(
  store: Store,
  { size, bucket, key }: PartsTarget,
  { uploadId: UploadId, partSize }: UploadState,
  call: Call,
): Promise<Map<number, UploadedPart> | undefined> {
  const about: About = { operation: "ListParts", bucket, key };
  const done = new Map<number, UploadedPart>();
  let marker: string | undefined;
  do {
    const make = (): ListPartsCommand =>
      new ListPartsCommand({ Bucket: bucket, Key: key, UploadId, PartNumberMarker: marker, ...ownedBy(store) });
    let page: ListPartsCommandOutput;
    try {
      page = await send(store, make, about, call);
    } catch (error) {
      if (error instanceof ActivityError && error.code === "NoSuchUpload") return undefined;
      throw error;
    }
    if (page.UploadId !== UploadId) throw unproven(about, "the parts of the upload that was asked for", 200);
    for (const { PartNumber, ETag, Size, ChecksumCRC32 } of page.Parts ?? []) {
      if (PartNumber === undefined || ETag === undefined || unquoteEtag(ETag) === "") continue;
      const length = Math.min(partSize, size - (PartNumber - 1) * partSize);
      if (Size === length)
        done.set(PartNumber, { PartNumber, ETag, ...(ChecksumCRC32 !== undefined && { ChecksumCRC32 }) });
    }
    const next = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
    if (next !== undefined && next === marker) throw unproven(about, "a new marker, not the one that was sent", 200);
    marker = next;
  } while (marker !== undefined);
  return done;
}
