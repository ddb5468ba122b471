import { UploadPartCommand } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import { type About, nameOf, unproven } from "../error-mapping.ts";
import { isSinglePartEtag, unquoteEtag } from "../../model/etag.ts";
import { hasPlainEtag } from "../proof/content.ts";
import type { Call } from "../interface.ts";
import { encryptionOf, writeKeyInput } from "../requests/customer-key.ts";
import type { PutRequest } from "../proof/put.ts";
import { ownedBy, type StoreBase } from "../options.ts";
import type { Store } from "../store.ts";
import { send } from "../transport/send.ts";
import type { PartBytes } from "./cut.ts";
import { retryPart } from "./retry.ts";
import { partTimeout } from "./run.ts";
import type { OpenUpload, UploadedPart } from "./upload.ts";

/** One upload in parts. */
export type PartsUpload = {
  readonly store: Store;
  readonly request: PutRequest;
  readonly region: string;
  readonly partSize: number;
  readonly about: About;
};

/** What one part needs to know of it. */
type PartTarget = {
  readonly store: StoreBase;
  readonly request: Pick<PutRequest, "bucket" | "key" | "attributes">;
  readonly region?: string;
};

export type SentPart = UploadedPart & { readonly md5: Buffer };

/** Sends one part, again by itself where only it met trouble. https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
export async function sendPart(
  { store, request, region }: PartTarget,
  { uploadId: UploadId }: Pick<OpenUpload, "uploadId">,
  { number: PartNumber, bytes, md5 }: PartBytes,
  call: Call,
): Promise<SentPart> {
  const { bucket: Bucket, key: Key, attributes } = request;
  const about: About = { operation: "UploadPart", bucket: Bucket, key: Key };
  const make = (): UploadPartCommand =>
    new UploadPartCommand({
      Bucket,
      Key,
      UploadId,
      PartNumber,
      Body: bytes,
      ContentLength: bytes.length,
      // Where the ETag is no MD5, this is what has the store refuse other bytes.
      ContentMD5: md5.toString("base64"),
      ...writeKeyInput(store),
      ...ownedBy(store),
    });
  const limits = {
    ...(region !== undefined && { region }),
    timeoutMs: partTimeout(store, bytes.length),
    bytes: bytes.length,
  };
  return await retryPart(async () => {
    const answer = await send(store, make, about, call, limits);
    const etag = unquoteEtag(answer.ETag ?? "");
    if (etag === "") throw unproven(about, "the part's ETag", 200);
    const encryption = encryptionOf(answer) ?? encryptionOf(attributes);
    const comparable = isSinglePartEtag(etag) && hasPlainEtag({ bucket: Bucket, encryption });
    if (comparable && etag.toLowerCase() !== md5.toString("hex")) throw damaged(about, PartNumber, etag, md5);
    const sum = answer.ChecksumCRC32;
    return { PartNumber, ETag: answer.ETag ?? "", md5, ...(sum !== undefined && { ChecksumCRC32: sum }) };
  }, call.signal);
}

function damaged(about: About, number: number, etag: string, md5: Buffer): ActivityError {
  return new ActivityError(
    "VerificationFailed",
    `part ${number} of ${nameOf(about)} is not proven: expected ETag ${md5.toString("hex")}, its MD5, got ${etag}`,
    { retryable: true },
  );
}
