import { randomBytes } from "node:crypto";
import { bodyMd5, sliceBody } from "../../storage/body.ts";
import type { Bucket } from "../../storage/bucket.ts";
import { header, type Call } from "../../http/call.ts";
import { checksumHeader, computeChecksum, parseAlgorithm } from "../../storage/checksum.ts";
import type { MultipartUpload, UploadedPart } from "../../storage/multipart-upload.ts";
import { checkPartKey, encryptionHeaders } from "../../http/encryption.ts";
import { factsFromHeaders, tagsFromHeader } from "../../http/object-facts.ts";
import { checkNoBody, receiveBody } from "../../http/receive-body.ts";
import { emptyReply, xmlReply, type Reply } from "../../http/reply.ts";
import { S3Error } from "../../http/s3-error.ts";
import { nowInSeconds, type StoredObject } from "../../storage/stored-object.ts";
import { openBucket } from "../../auth/access.ts";
import type { World } from "../../storage/world.ts";
import { element, xmlDocument } from "../../http/xml.ts";
import { copyResult } from "../objects/copy.ts";
import { requestedProtection } from "../lock/protection.ts";
import { newObjectAcl } from "../permissions/acl-headers.ts";
import { uploadOptions } from "../objects/put.ts";
import { checkKey, openCopySource } from "../objects/source.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html */
export function createMultipartUpload(call: Call, world: World): Reply {
  checkNoBody(call);
  const bucket = openBucket(world, call);
  checkKey(call.key);
  const upload: MultipartUpload = {
    uploadId: randomBytes(48).toString("base64url"),
    bucket: bucket.name,
    key: call.key,
    initiated: nowInSeconds(),
    facts: factsFromHeaders(call, bucket.settings.encryption),
    protection: requestedProtection(call, bucket),
    parts: new Map(),
  };
  const acl = newObjectAcl(call, world, bucket);
  if (acl !== undefined) upload.acl = acl;
  const tags = tagsFromHeader(call);
  if (tags !== undefined) upload.tags = tags;
  const headers = encryptionHeaders(upload.facts.encryption);
  const checksum = requestedChecksum(call);
  if (checksum !== undefined) {
    upload.checksum = checksum;
    headers.push("x-amz-checksum-algorithm", checksum.algorithm, "x-amz-checksum-type", checksum.type);
  }
  world.uploads.set(upload.uploadId, upload);
  const content = element("Bucket", bucket.name) + element("Key", call.key) + element("UploadId", upload.uploadId);
  return xmlReply(xmlDocument("InitiateMultipartUploadResult", content), headers);
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html: SHA is composite only, CRC-64 full only
function requestedChecksum(call: Call): MultipartUpload["checksum"] {
  const name = header(call, "x-amz-checksum-algorithm");
  const type = header(call, "x-amz-checksum-type");
  if (name === undefined) {
    if (type === undefined) return undefined;
    throw new S3Error(
      "InvalidRequest",
      "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
    );
  }
  const algorithm = parseAlgorithm(name);
  const usual = algorithm === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE";
  if (type === undefined) return { algorithm, type: usual };
  const impossible = algorithm === "CRC64NVME" ? "COMPOSITE" : algorithm.startsWith("SHA") ? "FULL_OBJECT" : undefined;
  if ((type !== "COMPOSITE" && type !== "FULL_OBJECT") || type === impossible) {
    throw new S3Error(
      "InvalidRequest",
      `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  return { algorithm, type };
}

/** The upload a call names. @throws S3Error NoSuchUpload */
export function findUpload(call: Call, world: World): MultipartUpload {
  const upload = world.uploads.get(call.query.get("uploadId") ?? "");
  if (upload === undefined || upload.bucket !== call.bucket || upload.key !== call.key) {
    throw new S3Error(
      "NoSuchUpload",
      "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
      {
        elements: { UploadId: call.query.get("uploadId") ?? "" },
      },
    );
  }
  return upload;
}

function partNumber(call: Call, world: World): number {
  const number = Number(call.query.get("partNumber"));
  if (!Number.isInteger(number) || number < 1 || number > world.limits.maxPartCount) {
    throw new S3Error(
      "InvalidArgument",
      `Part number must be an integer between 1 and ${world.limits.maxPartCount}, inclusive`,
      {
        elements: { ArgumentName: "partNumber", ArgumentValue: call.query.get("partNumber") ?? "" },
      },
    );
  }
  return number;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
export async function uploadPart(call: Call, world: World): Promise<Reply> {
  const bucket = openBucket(world, call);
  findUpload(call, world);
  const number = partNumber(call, world);
  checkPartKey(call, findUpload(call, world).facts.encryption);
  const { body, md5, checksum } = await receiveBody(call, uploadOptions(bucket, world));
  // Looked up again: the upload may have been aborted while its part was on the way.
  const upload = findUpload(call, world);
  checkPartChecksum(upload, checksum?.algorithm);
  const part: UploadedPart = { number, body, etag: md5, lastModified: nowInSeconds() };
  if (checksum !== undefined) part.checksum = checksum;
  upload.parts.set(number, part);
  const headers = ["ETag", `"${md5}"`, ...encryptionHeaders(upload.facts.encryption)];
  if (checksum !== undefined) headers.push(checksumHeader(checksum.algorithm), checksum.value);
  return emptyReply(200, headers);
}

/** An upload that named no algorithm takes any: SDKs send a CRC of every part, whatever the upload said. */
function checkPartChecksum({ checksum }: MultipartUpload, given: string | undefined): void {
  const expected = checksum?.algorithm;
  if (checksum === undefined || expected === given || (given === undefined && checksum.type === "FULL_OBJECT")) return;
  throw new S3Error(
    "InvalidRequest",
    `Checksum Type mismatch occurred, expected checksum Type: ${expected?.toLowerCase() ?? "null"}, actual checksum Type: ${given?.toLowerCase() ?? "null"}`,
  );
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html */
export function uploadPartCopy(call: Call, world: World): Reply {
  checkNoBody(call);
  openBucket(world, call);
  const upload = findUpload(call, world);
  const number = partNumber(call, world);
  checkPartKey(call, upload.facts.encryption);
  const { object } = openCopySource(call, world);
  const { start, length } = copyRange(call, object.body.size, world);
  const body = sliceBody(object.body, start, length);
  const part: UploadedPart = { number, body, etag: bodyMd5(body), lastModified: nowInSeconds() };
  // S3 computes it itself here. Content that a sink dropped has none.
  const checksum = upload.checksum && computeChecksum(body, upload.checksum.algorithm);
  if (checksum !== undefined) part.checksum = checksum;
  upload.parts.set(number, part);
  const headers = encryptionHeaders(upload.facts.encryption);
  if (object.versionId !== undefined) headers.push("x-amz-copy-source-version-id", object.versionId);
  return xmlReply(xmlDocument("CopyPartResult", copyResult(part, world)), headers);
}

function copyRange(call: Call, size: number, world: World): { start: number; length: number } {
  const range = world.quirks.ignoredRanges ? undefined : header(call, "x-amz-copy-source-range");
  const match = range === undefined ? undefined : /^bytes=(\d+)-(\d+)$/.exec(range);
  if (match === null) {
    throw new S3Error(
      "InvalidArgument",
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
      {
        elements: { ArgumentName: "x-amz-copy-source-range", ArgumentValue: range ?? "" },
      },
    );
  }
  const start = Number(match?.[1] ?? 0);
  const end = match === undefined ? size - 1 : Number(match[2]);
  if (match !== undefined && (start > end || end >= size)) {
    throw new S3Error("InvalidArgument", `Range specified is not valid for source object of size: ${size}`, {
      elements: { ArgumentName: "x-amz-copy-source-range", ArgumentValue: range ?? "" },
    });
  }
  if (end - start + 1 > world.limits.maxCopySize) {
    throw new S3Error(
      "InvalidRequest",
      `The specified copy source is larger than the maximum allowable size for a copy source: ${world.limits.maxCopySize}`,
    );
  }
  return { start, length: end - start + 1 };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html */
export function abortMultipartUpload(call: Call, world: World): Reply {
  openBucket(world, call);
  world.uploads.delete(findUpload(call, world).uploadId);
  return emptyReply(204);
}

/** Stores what an upload became. */
export function storeUpload(
  bucket: Bucket,
  upload: MultipartUpload,
  made: Pick<StoredObject, "body" | "etag" | "parts" | "checksum">,
): StoredObject {
  const object: StoredObject = {
    key: upload.key,
    lastModified: nowInSeconds(),
    facts: upload.facts,
    ...made,
    ...upload.protection,
  };
  if (upload.acl !== undefined) object.acl = upload.acl;
  if (upload.tags !== undefined) object.tags = upload.tags;
  return bucket.put(object);
}
