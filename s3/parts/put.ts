import type { About } from "../error-mapping.ts";
import { unquoteEtag } from "../../model/etag.ts";
import { encryptionOf } from "../requests/customer-key.ts";
import { conditions, provenPut, type PutRequest, type PutResult, recover } from "../proof/put.ts";
import { writtenVersion } from "../proof/written-version.ts";
import type { Call } from "../interface.ts";
import { ownedBy } from "../options.ts";
import type { Store } from "../store.ts";
import { sendParts } from "./send-all.ts";
import { partSizeFor } from "./size.ts";
import { streamParts } from "./stream.ts";
import { removeEarlierUpload } from "./stream-upload.ts";
import { uploadBody } from "./upload-body.ts";

/** Uploads in parts, several at once out of memory; one after the other straight from the stream where even one part is larger than an upload may hold. */
export async function putParts(
  store: Store,
  request: PutRequest,
  region: string,
  about: About,
  call: Call,
): Promise<PutResult> {
  const partSize = partSizeFor(request.size, request.source?.partSize ?? store.sending.partSize);
  const way = partSize <= store.settings.uploadBuffer ? putHeld : putStreamed;
  return await way({ store, request, region, partSize, about }, call);
}

type Put = {
  readonly store: Store;
  readonly request: PutRequest;
  readonly region: string;
  readonly partSize: number;
  readonly about: About;
};

async function putHeld(put: Put, call: Call): Promise<PutResult> {
  const { store, request } = put;
  let expectedEtag = "";
  const body = { complete: () => expectedEtag !== "" };
  const onSent = (etag: string): void => {
    expectedEtag = etag;
  };
  try {
    const { stored, sourceProven } = await sendParts(put, onSent, call);
    return { ...(await provenPut(store, request, stored, expectedEtag, call)), sourceProven };
  } catch (error) {
    const found = await recover(store, request, error, expectedEtag, body, call);
    // It may be the work of an earlier attempt, and this upload still open.
    await removeEarlierUpload(store, request);
    return found;
  }
}

/** Parts that come from a stream and are not held cannot be gone on with by a later attempt. */
async function putStreamed({ store, request, region, partSize, about }: Put, call: Call): Promise<PutResult> {
  await removeEarlierUpload(store, request);
  const { size, sha256, bucket, key, attributes } = request;
  const controller = new AbortController();
  const body = uploadBody({
    body: request.body,
    size,
    sha256,
    partSize,
    md5: false,
    about,
    onBytes: request.onBytes,
    fail: (error) => controller.abort(error),
  });
  const stop = (): void => controller.abort(call.signal.reason);
  call.signal.addEventListener("abort", stop, { once: true });
  if (call.signal.aborted) stop();
  controller.signal.addEventListener("abort", () => body.stream.destroy());
  try {
    const params = { Bucket: bucket, Key: key, ...attributes, ...conditions(store, request), ...ownedBy(store) };
    const answer = await streamParts({ store, request, region, partSize, body, controller }, params);
    const etag = unquoteEtag(answer.ETag ?? "");
    const stored = { etag, versionId: writtenVersion(answer.VersionId), encryption: encryptionOf(answer) };
    const result = await provenPut(store, request, stored, body.partsEtag(), call);
    await request.upload?.clear();
    return result;
  } catch (error) {
    call.signal.throwIfAborted();
    const why: unknown = controller.signal.aborted ? controller.signal.reason : error;
    return await recover(store, request, why, body.complete() ? body.partsEtag() : "", body, call);
  } finally {
    call.signal.removeEventListener("abort", stop);
    body.stream.destroy();
  }
}
