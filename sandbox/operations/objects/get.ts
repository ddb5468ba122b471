import { isReadable, sliceBody } from "../../storage/body.ts";
import { header, type Call } from "../../http/call.ts";
import { checksumHeader, defaultChecksum } from "../../storage/checksum.ts";
import { failedCondition } from "../../storage/conditions.ts";
import { checkCustomerKey, encryptionHeaders, readCustomerKey, refuseEncryptionOnRead } from "../../http/encryption.ts";
import type { Reply } from "../../http/reply.ts";
import { preconditionFailed, S3Error } from "../../http/s3-error.ts";
import type { Checksum, StoredObject } from "../../storage/stored-object.ts";
import { findBucket, mayReadTags, openBucket } from "../../auth/access.ts";
import type { World } from "../../storage/world.ts";
import { lockHeaders } from "../lock/protection.ts";
import { restoreHeader } from "./restore.ts";
import { checkArchived, checkKey, findObject, requestedVersion } from "./source.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
export function getObject(call: Call, world: World): Reply {
  const object = openObject(call, world);
  if (object.reply !== undefined) return object.reply;
  checkArchived(object.object);
  if (!isReadable(object.object.body)) {
    throw new S3Error("NotImplemented", "This sink bucket keeps size and ETag of large uploads, not their content");
  }
  const range = requestedRange(call, object.object, world);
  const headers = objectHeaders(call, object.object, world, range);
  const { start, length } = range ?? { start: 0, length: object.object.body.size };
  return { status: range === undefined ? 200 : 206, headers, body: sliceBody(object.object.body, start, length) };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
export function headObject(call: Call, world: World): Reply {
  const object = openObject(call, world);
  if (object.reply !== undefined) return object.reply;
  const range = requestedRange(call, object.object, world);
  const headers = objectHeaders(call, object.object, world, range);
  if (world.quirks.noHeadEtags) headers.splice(headers.indexOf("ETag"), 2);
  return { status: range === undefined ? 200 : 206, headers, length: range?.length ?? object.object.body.size };
}

type Opened = { object: StoredObject; reply?: undefined } | { reply: Reply };

function openObject(call: Call, world: World): Opened {
  refuseEncryptionOnRead(call);
  const bucket = openBucket(world, call);
  checkKey(call.key);
  const object = findObject(bucket, call.key, requestedVersion(call, world));
  checkCustomerKey(object.facts.encryption, readCustomerKey(call, "x-amz-server-side-encryption-customer-"));
  if (!world.enforce.read) return { object };
  const failed = failedCondition(
    {
      ifMatch: header(call, "if-match"),
      ifNoneMatch: header(call, "if-none-match"),
      ifModifiedSince: header(call, "if-modified-since"),
      ifUnmodifiedSince: header(call, "if-unmodified-since"),
    },
    object,
  );
  if (failed === undefined) return { object };
  if (failed === "ifMatch") throw preconditionFailed("If-Match");
  if (failed === "ifUnmodifiedSince") throw preconditionFailed("If-Unmodified-Since");
  return {
    reply: {
      status: 304,
      headers: ["ETag", `"${object.etag}"`, "Last-Modified", new Date(object.lastModified).toUTCString()],
    },
  };
}

/** `part`: it is the one that `partNumber` asked for, with its own checksum. */
type Range = { start: number; length: number; part?: boolean; checksum?: Checksum };

function requestedRange(call: Call, object: StoredObject, world: World): Range | undefined {
  const size = object.body.size;
  const partNumber = call.query.get("partNumber");
  const range = world.quirks.ignoredRanges ? undefined : header(call, "range");
  if (partNumber !== undefined) {
    if (range !== undefined)
      throw new S3Error("InvalidRequest", "Cannot specify both Range header and partNumber query parameter");
    return partRange(object, Number(partNumber));
  }
  const match = range === undefined ? null : /^bytes=(\d*)-(\d*)$/.exec(range.trim());
  // What is no single byte range is ignored: S3 serves one range at a time.
  if (match === null || (match[1] === "" && match[2] === "")) return undefined;
  const suffix = match[1] === "";
  const start = suffix ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = suffix || match[2] === "" ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (!suffix && match[2] !== "" && Number(match[2]) < Number(match[1])) return undefined;
  if (start > end) {
    throw new S3Error("InvalidRange", "The requested range is not satisfiable", {
      elements: { RangeRequested: range ?? "", ActualObjectSize: String(size) },
      headers: { "Content-Range": `bytes */${size}` },
    });
  }
  return { start, length: end - start + 1 };
}

function partRange(object: StoredObject, number: number): Range {
  const parts = object.parts ?? [{ number: 1, size: object.body.size, etag: object.etag }];
  if (!(number >= 1 && number <= parts.length)) {
    throw new S3Error("InvalidPartNumber", "The requested partnumber is not satisfiable", { status: 416 });
  }
  const start = parts.slice(0, number - 1).reduce((sum, part) => sum + part.size, 0);
  const { size, checksum } = parts[number - 1]!;
  // What is told is the part's value and the object's type.
  const own = checksum && { ...checksum, type: object.checksum?.type ?? checksum.type };
  return { start, length: size, part: true, ...(own !== undefined && { checksum: own }) };
}

const OVERRIDES = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
];

function objectHeaders(call: Call, object: StoredObject, world: World, range: Range | undefined): string[] {
  const { facts, body } = object;
  const headers = [
    "Last-Modified",
    new Date(object.lastModified).toUTCString(),
    "ETag",
    `"${object.etag}"`,
    "Accept-Ranges",
    "bytes",
  ];
  headers.push(...encryptionHeaders(facts.encryption));
  if (object.versionId !== undefined) headers.push("x-amz-version-id", object.versionId);
  if (object.restored !== undefined) headers.push("x-amz-restore", restoreHeader(object.restored));
  if (object.retention !== undefined || object.legalHold !== undefined) headers.push(...lockHeaders(object));
  if (facts.storageClass !== "STANDARD") headers.push("x-amz-storage-class", facts.storageClass);
  if (object.tags !== undefined && object.tags.length > 0 && seesTags(call, object, world))
    headers.push("x-amz-tagging-count", String(object.tags.length));
  for (const name in facts.metadata) headers.push(`x-amz-meta-${name}`, facts.metadata[name]!);
  for (const name in facts.headers) {
    if (!call.query.has(`response-${name}`)) headers.push(name, facts.headers[name]!);
  }
  if (call.query.size > 0) {
    for (const name of OVERRIDES) {
      const value = call.query.get(`response-${name}`);
      if (value !== undefined) headers.push(name, value);
    }
  }
  if (range?.part && object.parts !== undefined) headers.push("x-amz-mp-parts-count", String(object.parts.length));
  if (range !== undefined)
    headers.push("Content-Range", `bytes ${range.start}-${range.start + range.length - 1}/${body.size}`);
  if ((range === undefined || range.part) && header(call, "x-amz-checksum-mode")?.toUpperCase() === "ENABLED")
    pushChecksum(headers, range?.checksum === undefined ? object : { ...object, checksum: range.checksum }, world);
  return headers;
}

/** The number of tags is told only to whoever may read them. https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
function seesTags(call: Call, object: StoredObject, world: World): boolean {
  const { key } = call;
  return mayReadTags(call, findBucket(world, call.bucket), { key, versionId: call.query.get("versionId"), object });
}

function pushChecksum(headers: string[], object: StoredObject, world: World): void {
  if (world.quirks.noChecksums) return;
  const checksum = object.checksum ?? defaultChecksum(object.body);
  if (checksum !== undefined)
    headers.push(checksumHeader(checksum.algorithm), checksum.value, "x-amz-checksum-type", checksum.type);
}
