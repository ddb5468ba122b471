import {
  AbortMultipartUploadCommand,
  type CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandOutput,
} from "@aws-sdk/client-s3";
import { type About, unproven } from "../error-mapping.ts";
import { retryPart } from "./retry.ts";
import { send } from "../transport/send.ts";
import { ownedBy, type StoreBase } from "../options.ts";

/** Where an upload is to become an object. */
type Target = { readonly bucket: string; readonly key: string; readonly region?: string };

/**
 * Begins an upload. Does not end with the caller's signal: an upload whose id was lost on the way could never be removed. So its
 * answer is awaited, and the caller removes what it then cannot use.
 */
export async function openUpload(
  store: StoreBase,
  target: Target,
  make: () => CreateMultipartUploadCommand,
  signal: AbortSignal,
): Promise<CreateMultipartUploadCommandOutput & { readonly UploadId: string }> {
  signal.throwIfAborted();
  const { bucket, key, region } = target;
  const about: About = { operation: "CreateMultipartUpload", bucket, key };
  // Ends by the request's own timeout, which is an error that may be tried again.
  const own = new AbortController().signal;
  const output = await send(store, make, about, { signal: own }, region === undefined ? {} : { region });
  const { UploadId } = output;
  if (UploadId === undefined || UploadId === "") throw unproven(about, "an upload id", 200);
  return { ...output, UploadId };
}

/** Removes an upload and its parts. Its own signal and time: it has to run after the caller's have ended. */
export async function removeUpload(store: StoreBase, { bucket, key, region }: Target, UploadId: string): Promise<void> {
  const signal = AbortSignal.timeout(store.settings.requestTimeoutMs);
  const about: About = { operation: "AbortMultipartUpload", bucket, key };
  const make = (): AbortMultipartUploadCommand =>
    new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId, ...ownedBy(store) });
  try {
    await retryPart(() => send(store, make, about, { signal }, region === undefined ? {} : { region }), signal);
  } catch {
    // Gone already, or out of reach: what went wrong before matters more, and a lifecycle rule is the last resort.
  }
}
