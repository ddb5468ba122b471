import { header, parseQuery, type Call } from "./call.ts";
import { S3Error } from "./s3-error.ts";
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

/** What an upload says about its object. Reuses one shared value when it says nothing. */
export function factsFromHeaders(call: Call): ObjectFacts {
  const headers = systemHeaders(call);
  const metadata = userMetadata(call);
  const storageClass = readStorageClass(call) ?? "STANDARD";
  const encryption = readEncryption(call) ?? PLAIN_FACTS.encryption;
  return { headers, metadata, storageClass, encryption };
}

export function systemHeaders(call: Call): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of SYSTEM_HEADERS) {
    const value = header(call, name);
    if (value !== undefined) headers[name] = value;
  }
  headers["content-type"] ??= "binary/octet-stream";
  const encoding = (header(call, "content-encoding") ?? "")
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "" && one !== "aws-chunked");
  if (encoding.length > 0) headers["content-encoding"] = encoding.join(",");
  return headers;
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

/** Server-side encryption, or undefined when the request names none. */
export function readEncryption(call: Call): Encryption | undefined {
  const customerKeyMd5 = readCustomerKey(call, "x-amz-server-side-encryption-customer-");
  if (customerKeyMd5 !== undefined) return { algorithm: "AES256", customerKeyMd5 };
  const algorithm = header(call, "x-amz-server-side-encryption");
  if (algorithm === undefined) return undefined;
  if (algorithm === "AES256") return PLAIN_FACTS.encryption;
  if (algorithm !== "aws:kms" && algorithm !== "aws:kms:dsse") {
    throw new S3Error("InvalidArgument", "The encryption method specified is not supported", {
      elements: { ArgumentName: "x-amz-server-side-encryption", ArgumentValue: algorithm },
    });
  }
  const encryption: Encryption = {
    algorithm,
    kmsKeyId:
      header(call, "x-amz-server-side-encryption-aws-kms-key-id") ?? "arn:aws:kms:us-east-1:000000000000:key/aws-s3",
  };
  if (header(call, "x-amz-server-side-encryption-bucket-key-enabled") === "true") encryption.bucketKey = true;
  const context = header(call, "x-amz-server-side-encryption-context");
  if (context !== undefined) encryption.context = context;
  return encryption;
}

/** The MD5 of a customer's key (SSE-C), base64, or undefined when the request brings none. */
export function readCustomerKey(call: Call, prefix: string): string | undefined {
  const algorithm = header(call, `${prefix}algorithm`);
  if (algorithm === undefined) return undefined;
  const md5 = header(call, `${prefix}key-md5`);
  if (algorithm !== "AES256" || md5 === undefined || header(call, `${prefix}key`) === undefined) {
    throw new S3Error(
      "InvalidArgument",
      "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate algorithm, secret key and its MD5.",
    );
  }
  return md5;
}

/** Refuses reads of an SSE-C object without its key. */
export function checkCustomerKey(encryption: Encryption, given: string | undefined): void {
  if (encryption.customerKeyMd5 === given) return;
  if (given === undefined || encryption.customerKeyMd5 === undefined) {
    throw new S3Error(
      "InvalidRequest",
      "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
    );
  }
  throw new S3Error("AccessDenied", "Access Denied");
}

/** Answer headers for an object's encryption. */
export function encryptionHeaders(encryption: Encryption): string[] {
  if (encryption.customerKeyMd5 !== undefined) {
    return [
      "x-amz-server-side-encryption-customer-algorithm",
      "AES256",
      "x-amz-server-side-encryption-customer-key-MD5",
      encryption.customerKeyMd5,
    ];
  }
  const headers = ["x-amz-server-side-encryption", encryption.algorithm];
  if (encryption.kmsKeyId !== undefined)
    headers.push("x-amz-server-side-encryption-aws-kms-key-id", encryption.kmsKeyId);
  if (encryption.bucketKey) headers.push("x-amz-server-side-encryption-bucket-key-enabled", "true");
  return headers;
}

/** Tags of an `x-amz-tagging` header, undefined when there is none. */
export function tagsFromHeader(call: Call): readonly Tag[] | undefined {
  const value = header(call, "x-amz-tagging");
  if (value === undefined || value === "") return undefined;
  const tags = [...parseQuery(value)].map(([key, tag]) => ({ key, value: tag }));
  checkTags(tags);
  return tags;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html: ten tags, 128 and 256 characters */
export function checkTags(tags: readonly Tag[]): void {
  if (tags.length > 10) throw new S3Error("BadRequest", "Object tags cannot be greater than 10");
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
