import crypto from "node:crypto";
import { joinBodies } from "../../storage/body.ts";
import { header, type Call } from "../../http/call.ts";
import {
  ALGORITHMS,
  checksumHeader,
  compositeChecksum,
  computeChecksum,
  defaultChecksum,
} from "../../storage/checksum.ts";
import type { MultipartUpload, UploadedPart } from "../../storage/multipart-upload.ts";
import { encryptionHeaders } from "../../http/encryption.ts";
import { receiveDocument } from "../../http/receive-body.ts";
import { xmlReply, type Reply } from "../../http/reply.ts";
import { S3Error } from "../../http/s3-error.ts";
import type { Checksum, StoredPart } from "../../storage/stored-object.ts";
import { openBucket } from "../../auth/access.ts";
import type { World } from "../../storage/world.ts";
import { childText, element, malformed, parseXml, xmlDocument, type XmlElement } from "../../http/xml.ts";
import { findUpload, storeUpload } from "./parts.ts";
import { checkWriteConditions } from "../objects/put.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html */
export async function completeMultipartUpload(call: Call, world: World): Promise<Reply> {
  const bucket = openBucket(world, call);
  findUpload(call, world);
  const document = parseXml(await receiveDocument(call, { checksums: "of the object" }), "CompleteMultipartUpload");
  const upload = findUpload(call, world);
  const parts = chosenParts(document.children.get("Part") ?? [], upload, world);
  const body = joinBodies(parts.map((part) => part.body));
  checkTotalSize(call, body.size);
  const checksum = objectChecksum(call, upload, parts);
  checkWriteConditions(call, world, bucket.current(call.key));
  // The MD5 of the parts' MD5s: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
  const etag = `${crypto.hash("md5", Buffer.concat(parts.map((part) => Buffer.from(part.etag, "hex"))))}-${parts.length}`;
  const stored = storeUpload(bucket, upload, {
    body,
    etag,
    parts: parts.map(storedPart),
    ...(checksum && { checksum }),
  });
  world.uploads.delete(upload.uploadId);
  const headers = encryptionHeaders(upload.facts.encryption);
  if (stored.versionId !== undefined) headers.push("x-amz-version-id", stored.versionId);
  const content =
    element("Location", `http://${header(call, "host") ?? ""}${call.rawPath}`) +
    element("Bucket", bucket.name) +
    element("Key", call.key) +
    element("ETag", `"${stored.etag}"`) +
    (checksum === undefined
      ? ""
      : element(`Checksum${checksum.algorithm}`, checksum.value) + element("ChecksumType", checksum.type));
  return xmlReply(xmlDocument("CompleteMultipartUploadResult", content), headers);
}

function chosenParts(elements: readonly XmlElement[], upload: MultipartUpload, world: World): UploadedPart[] {
  if (elements.length === 0 || elements.length > world.limits.maxPartCount) throw malformed();
  let last = 0;
  const parts = elements.map((entry) => {
    const number = Number(childText(entry, "PartNumber"));
    if (number <= last)
      throw new S3Error(
        "InvalidPartOrder",
        "The list of parts was not in ascending order. Parts must be ordered by part number.",
        { elements: { UploadId: upload.uploadId } },
      );
    last = number;
    return chosenPart(entry, number, upload);
  });
  for (const part of parts.slice(0, -1)) {
    if (part.body.size < world.limits.minPartSize) {
      throw new S3Error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", {
        elements: {
          ProposedSize: String(part.body.size),
          MinSizeAllowed: String(world.limits.minPartSize),
          PartNumber: String(part.number),
          ETag: part.etag,
        },
      });
    }
  }
  return parts;
}

function chosenPart(entry: XmlElement, number: number, upload: MultipartUpload): UploadedPart {
  const part = upload.parts.get(number);
  const etag = (childText(entry, "ETag") ?? "").replaceAll('"', "");
  if (part === undefined || part.etag !== etag) throw invalidPart(upload, number, etag);
  const algorithm = upload.checksum?.algorithm ?? part.checksum?.algorithm;
  const given = algorithm && childText(entry, `Checksum${algorithm}`);
  if (given !== undefined && given !== part.checksum?.value) throw invalidPart(upload, number, etag);
  if (given === undefined && upload.checksum?.type === "COMPOSITE") {
    throw new S3Error(
      "InvalidRequest",
      `The upload was created using a ${upload.checksum.algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
    );
  }
  return part;
}

function invalidPart(upload: MultipartUpload, number: number, etag: string): S3Error {
  return new S3Error(
    "InvalidPart",
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    {
      elements: { UploadId: upload.uploadId, PartNumber: String(number), ETag: etag },
    },
  );
}

function checkTotalSize(call: Call, size: number): void {
  const expected = header(call, "x-amz-mp-object-size");
  if (expected !== undefined && Number(expected) !== size) {
    throw new S3Error(
      "InvalidRequest",
      `The provided 'x-amz-mp-object-size' header value ${expected} does not match what was computed: ${size}`,
    );
  }
}

function objectChecksum(call: Call, upload: MultipartUpload, parts: readonly UploadedPart[]): Checksum | undefined {
  const body = joinBodies(parts.map((part) => part.body));
  const checksum = upload.checksum === undefined ? defaultChecksum(body) : chosenChecksum(upload.checksum, parts);
  const type = header(call, "x-amz-checksum-type");
  if (type !== undefined && upload.checksum !== undefined && type !== upload.checksum.type) {
    throw new S3Error(
      "InvalidRequest",
      `The upload was created using the ${upload.checksum.type} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  for (const algorithm of ALGORITHMS) {
    const given = header(call, checksumHeader(algorithm));
    if (
      given !== undefined &&
      (checksum?.algorithm !== algorithm || checksum.value.replace(/-\d+$/, "") !== given.replace(/-\d+$/, ""))
    ) {
      throw new S3Error("BadDigest", `The ${algorithm} you specified did not match the calculated checksum.`);
    }
  }
  return checksum;
}

function chosenChecksum(
  { algorithm, type }: NonNullable<MultipartUpload["checksum"]>,
  parts: readonly UploadedPart[],
): Checksum | undefined {
  if (type === "FULL_OBJECT") return computeChecksum(joinBodies(parts.map((part) => part.body)), algorithm);
  return compositeChecksum(
    algorithm,
    parts.map((part) => part.checksum?.value ?? ""),
  );
}

function storedPart({ number, body, etag, checksum }: UploadedPart): StoredPart {
  return checksum === undefined ? { number, size: body.size, etag } : { number, size: body.size, etag, checksum };
}
