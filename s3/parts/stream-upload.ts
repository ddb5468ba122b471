import type { CreateMultipartUploadCommand } from "@aws-sdk/client-s3";
import { openUpload, removeUpload } from "./open-upload.ts";
import type { PutRequest } from "../proof/put.ts";
import type { Store } from "../store.ts";

type Begun = Awaited<ReturnType<typeof openUpload>>;

/** Parts that come from a stream cannot be gone on with by a later attempt: that removes what an earlier one left when its process died. */
export async function removeEarlierUpload(
  store: Store,
  { bucket, key, upload: memory }: Pick<PutRequest, "bucket" | "key" | "upload">,
): Promise<void> {
  const earlier = await memory?.load();
  if (earlier === undefined) return;
  await removeUpload(store, { bucket, key }, earlier.uploadId);
  await memory?.clear();
}

/** Begins an upload and remembers it for {@link removeEarlierUpload}. */
export async function openStreamUpload(
  store: Store,
  { bucket, key, upload: memory }: Pick<PutRequest, "bucket" | "key" | "upload">,
  { region, partSize, make }: { region: string; partSize: number; make: () => CreateMultipartUploadCommand },
  signal: AbortSignal,
): Promise<Begun> {
  const target = { bucket, key, region };
  const begun = await openUpload(store, target, make, signal);
  try {
    // Without an ETag it is no upload that a copy in parts would go on with.
    await memory?.save({ uploadId: begun.UploadId, partSize, etag: "", bucket, key });
  } catch (error) {
    await removeUpload(store, target, begun.UploadId);
    throw error;
  }
  return begun;
}
