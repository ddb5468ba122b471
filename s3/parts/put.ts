import {
  AbortMultipartUploadCommand,
  type CompleteMultipartUploadCommandOutput,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  type S3Client,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import type { About } from "../error-mapping.ts";
import { unquoteEtag } from "../etag.ts";
import { removeUpload } from "./open-upload.ts";
import { partSizeFor } from "./size.ts";
import { type PartsRun, sendPart } from "./run.ts";
import { conditions, provenPut, type PutRequest, type PutResult, recover } from "../proof/put.ts";
import type { Call } from "../s3.ts";
import type { S3Command } from "../transport/send.ts";
import { ownedBy, type Store } from "../store.ts";
import { streamParts } from "./stream.ts";
import { openStreamUpload } from "./stream-upload.ts";
import { uploadBody } from "./upload-body.ts";
import { writtenVersion } from "../proof/written-version.ts";

/** Parts of one upload in flight, where memory allows. */
const MAX_QUEUE = 4;

/** Uploads in parts. Holds at most `uploadBuffer` bytes: where even one part is larger, parts are streamed one after the other. */
export async function putParts(
  store: Store,
  request: PutRequest,
  region: string,
  about: About,
  call: Call,
): Promise<PutResult> {
  const partSize = partSizeFor(request.size, store.settings.uploadPartSize);
  const { size, sha256 } = request;
  const controller = new AbortController();
  const body = uploadBody({
    body: request.body,
    size,
    sha256,
    partSize,
    md5: request.md5 ?? false,
    about,
    onBytes: request.onBytes,
    fail: (error) => controller.abort(error),
  });
  const stop = (): void => controller.abort(call.signal.reason);
  call.signal.addEventListener("abort", stop, { once: true });
  if (call.signal.aborted) stop();
  controller.signal.addEventListener("abort", () => body.stream.destroy());
  try {
    const answer = await sendParts({ store, request, region, partSize, body, controller });
    const etag = unquoteEtag(answer.ETag ?? "");
    const stored = { etag, versionId: writtenVersion(answer.VersionId), encryption: answer.ServerSideEncryption };
    const result = await provenPut(store, request, stored, body.partsEtag(), body, call);
    await request.upload?.clear();
    return result;
  } catch (error) {
    call.signal.throwIfAborted();
    const why = controller.signal.aborted ? controller.signal.reason : error;
    return await recover(store, request, why, body.complete() ? body.partsEtag() : "", body, call);
  } finally {
    call.signal.removeEventListener("abort", stop);
    body.stream.destroy();
  }
}

async function sendParts(run: PartsRun): Promise<CompleteMultipartUploadCommandOutput> {
  const { store, request, partSize, body } = run;
  const queueSize = Math.min(MAX_QUEUE, Math.floor(store.settings.uploadBuffer / partSize));
  const params = uploadInput(run);
  if (queueSize < 1) return await streamParts(run, params);
  const client = uploadClient(run);
  const upload = new Upload({
    client,
    partSize,
    queueSize,
    leavePartsOnError: false,
    params: { ...params, ContentLength: request.size, Body: body.stream },
  });
  return await upload.done();
}

function uploadInput({
  store,
  request,
}: PartsRun): CreateMultipartUploadCommandInput & { IfMatch?: string; IfNoneMatch?: string } {
  const { bucket, key, attributes } = request;
  return { Bucket: bucket, Key: key, ...attributes, ...conditions(store, request), ...ownedBy(store) };
}

/**
 * What lib-storage takes for its client. Its own calls carry no abort signal, so after a failure the other parts would go on,
 * and an abort would return before the upload is cleaned up.
 */
function uploadClient(run: PartsRun): S3Client {
  const { store, request, region, partSize, controller } = run;
  const real = store.clients.forRegion(region);
  const target = { bucket: request.bucket, key: request.key, region };
  const facade = {
    config: real.config,
    async send(command: S3Command<ServiceInputTypes, ServiceOutputTypes>): Promise<unknown> {
      if (command instanceof AbortMultipartUploadCommand)
        return await removeUpload(store, target, command.input.UploadId ?? "");
      try {
        if (command instanceof CreateMultipartUploadCommand)
          return await openStreamUpload(store, request, { region, partSize, make: () => command }, controller.signal);
        return await sendPart(run, command);
      } catch (error) {
        controller.abort(error);
        throw error;
      }
    },
  };
  // lib-storage calls nothing but `send` and reads nothing but `config`.
  return facade as unknown as S3Client;
}
