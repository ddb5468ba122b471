import { header, parseQuery, type Call } from "./call.ts";
import { readEncryption } from "./encryption.ts";
import { S3Error } from "./s3-error.ts";
import { childText, malformed, parseXml } from "./xml.ts";
import { PLAIN_FACTS, type Encryption, type ObjectFacts, type Tag } from "../storage/stored-object.ts";

const SYSTEM_HEADERS = [
  "cache-control",
  "content-disposition",
  "content-language",
  "content-type",
  "expires",
  "x-amz-website-redirect-location",
] as const;

const STORAGE_CLASSES = new Set(
  "STANDARD REDUCED_REDUNDANCY STANDARD_IA ONEZONE_IA INTELLIGENT_TIERING GLACIER DEEP_ARCHIVE GLACIER_IR EXPRESS_ONEZONE OUTPOSTS SNOW FSX_OPENZFS".split(
    " ",
  ),
);

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html: user metadata is limited to 2 KB */
const MAX_METADATA_BYTES = 2048;

const MAX_TAGS = 10;

/** What an upload says about its object. Reuses one shared value when it says nothing. */
export function factsFromHeaders(call: Call, bucketEncryption: Encryption | undefined): ObjectFacts {
  const headers = systemHeaders(call);
  const metadata = userMetadata(call);
  const storageClass = readStorageClass(call) ?? "STANDARD";
  const encryption = readEncryption(call) ?? bucketEncryption ?? PLAIN_FACTS.encryption;
  return { headers, metadata, storageClass, encryption };
}

export function systemHeaders(call: Call): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of SYSTEM_HEADERS) {
    const value = header(call, name);
    if (value !== undefined) headers[name] = value;
  }
  headers["content-type"] ??= "binary/octet-stream";
  const encoding = withoutAwsChunked(header(call, "content-encoding"));
  if (encoding !== undefined) headers["content-encoding"] = encoding;
  return headers;
}

/** `aws-chunked` is about the transfer and never stored; the rest of the list stays as it was written. */
function withoutAwsChunked(encoding: string | undefined): string | undefined {
  if (encoding === undefined || !/aws-chunked/i.test(encoding)) return encoding;
  const kept = encoding.split(",").filter((one) => one.trim().toLowerCase() !== "aws-chunked");
  const rest = kept.join(",").trim();
  return rest === "" ? undefined : rest;
}

export function userMetadata(call: Call): Record<string, string> {
  const metadata: Record<string, string> = {};
  let size = 0;
  for (const name in call.headers) {
    if (!name.startsWith("x-amz-meta-")) continue;
    const value = header(call, name) ?? "";
    metadata[name.slice(11)] = value;
    size += name.length - 11 + value.length;
  }
  if (size > MAX_METADATA_BYTES) {
    throw new S3Error("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", {
      elements: { Size: String(size), MaxSizeAllowed: String(MAX_METADATA_BYTES) },
    });
  }
  return metadata;
}

export function readStorageClass(call: Call): string | undefined {
  const storageClass = header(call, "x-amz-storage-class");
  if (storageClass !== undefined && !STORAGE_CLASSES.has(storageClass)) {
    throw new S3Error("InvalidStorageClass", "The storage class you specified is not valid", {
      elements: { StorageClassRequested: storageClass },
    });
  }
  return storageClass;
}

/** Tags of an `x-amz-tagging` header, undefined when there is none. */
export function tagsFromHeader(call: Call): readonly Tag[] | undefined {
  const value = header(call, "x-amz-tagging");
  if (value === undefined || value === "") return undefined;
  const tags = [...parseQuery(value)].map(([key, tag]) => ({ key, value: tag }));
  checkTags(tags);
  return tags;
}

/** Tags of a `Tagging` document. @throws S3Error MalformedXML, InvalidTag, BadRequest */
export function tagsFromXml(document: Buffer, most = MAX_TAGS): Tag[] {
  const set = parseXml(document, "Tagging").children.get("TagSet")?.[0];
  if (set === undefined) throw malformed();
  const tags = (set.children.get("Tag") ?? []).map((tag) => ({
    key: childText(tag, "Key") ?? "",
    value: childText(tag, "Value") ?? "",
  }));
  checkTags(tags, most);
  return tags;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html: ten tags, 128 and 256 characters */
function checkTags(tags: readonly Tag[], most = MAX_TAGS): void {
  if (tags.length > most) throw new S3Error("BadRequest", `Object tags cannot be greater than ${most}`);
  for (const { key, value } of tags) {
    if (key === "" || key.length > 128)
      throw new S3Error("InvalidTag", "The TagKey you have provided is invalid", { elements: { TagKey: key } });
    if (value.length > 256)
      throw new S3Error("InvalidTag", "The TagValue you have provided is invalid", {
        elements: { TagKey: key, TagValue: value },
      });
  }
  if (new Set(tags.map((tag) => tag.key)).size !== tags.length) {
    throw new S3Error("InvalidTag", "Cannot provide multiple Tags with the same key");
  }
}
