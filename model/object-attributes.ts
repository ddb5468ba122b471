import { z } from "zod";
import { ObjectLock } from "./attributes/object-lock.ts";
import { wellFormed } from "./entities.ts";

/** User metadata: at most 2 KiB of names and values. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
export const Metadata = z
  .record(
    z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/, {
      error: "expected a header token as the name",
    }),
    wellFormed().max(2048),
  )
  .refine(
    (metadata) =>
      Object.entries(metadata).reduce(
        (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
        0,
      ) <= 2048,
    { error: "expected at most 2,048 bytes of names and values" },
  )
  .refine(
    (metadata) =>
      new Set(Object.keys(metadata).map((name) => name.toLowerCase())).size === Object.keys(metadata).length,
    {
      error: "expected names that differ by more than upper and lower case: S3 stores them in lower case",
    },
  )
  .meta({
    id: "Metadata",
    description: "User metadata: at most 2,048 bytes of names and values",
    maxProperties: 2048, // each name has a byte
  });

/** Up to ten tags. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html */
export const Tags = z
  .record(wellFormed().min(1).max(128), wellFormed().max(256))
  .refine((tags) => Object.keys(tags).length <= 10, { error: "expected at most 10 tags" })
  .meta({
    id: "Tags",
    description: "Tags by name: at most 10; names to 128 characters, values to 256",
    maxProperties: 10,
  });

export const StorageClass = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{1,63}$/, {
    error: "expected a storage class such as STANDARD or INTELLIGENT_TIERING",
  })
  .meta({ description: "Storage class, such as STANDARD or INTELLIGENT_TIERING" });

/** Server-side encryption of what is written. */
export const Encryption = z
  .union([
    z.strictObject({ type: z.literal("AES256").meta({ description: "With the store's own keys (SSE-S3)" }) }),
    z.strictObject({
      type: z.enum(["aws:kms", "aws:kms:dsse"]).meta({ description: "With a key of KMS, once or twice" }),
      keyId: z
        .string()
        .min(1)
        .max(2048)
        .optional()
        .meta({ description: "Id or ARN of the key. Default: the account's" }),
      bucketKey: z.boolean().optional().meta({
        description:
          "One data key for the bucket instead of one for each object, which costs less. Default: the bucket's",
      }),
    }),
  ])
  .meta({ id: "Encryption", description: "Server-side encryption of what is written. Default: the bucket's" });
export type Encryption = z.infer<typeof Encryption>;

/** What `trim` takes away, spelled out: other languages mean something else by `\s`. */
const SPACE = String.raw`\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff`;

/** Text that HTTP can carry in a header and S3 keeps, beyond ASCII as UTF-8. */
const HeaderText = wellFormed()
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  .regex(/^[^\u0000-\u001f\u007f]*$/, {
    error: "expected a header's value, without line breaks and other control characters",
  })
  .regex(new RegExp(`^(?![${SPACE}])(?![\\s\\S]*[${SPACE}]$)`), {
    error: "expected no whitespace at either end, which no header keeps",
  });

/** A header's value. System metadata has at most 2 KB. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
const HeaderValue = HeaderText.min(1)
  .max(2048)
  .refine((text) => Buffer.byteLength(text) <= 2048, { error: "expected at most 2,048 bytes of UTF-8" });

/** Why a text cannot stand in a header; `undefined` where it can. */
export function headerProblem(text: string): string | undefined {
  return HeaderText.safeParse(text).error?.issues[0]?.message;
}

export const ContentType = HeaderValue;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl */
export const CannedAcl = z
  .enum([
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
  ])
  .meta({ id: "CannedAcl", description: "Who may access what is written. Default: as the bucket says" });
export type CannedAcl = z.infer<typeof CannedAcl>;

/** What may be said of a written object. */
export const attributeFields = {
  contentType: ContentType.optional().meta({ description: "Media type (Content-Type)" }),
  contentEncoding: HeaderValue.optional().meta({ description: "Content-Encoding, such as gzip" }),
  contentDisposition: HeaderValue.optional().meta({
    description: "Content-Disposition, such as a file name to save as",
  }),
  contentLanguage: HeaderValue.optional().meta({ description: "Content-Language" }),
  cacheControl: HeaderValue.optional().meta({ description: "Cache-Control" }),
  expires: HeaderValue.optional().meta({
    description: "Expires, as S3 keeps it: an HTTP date, or whatever else clients are to get",
  }),
  websiteRedirect: HeaderValue.regex(/^(\/|https?:\/\/)/, {
    error: "expected a path that starts with /, or an http or https URL",
  })
    .optional()
    .meta({ description: "Where a website's visitors are sent: a key of the bucket after a slash, or a URL" }),
  metadata: Metadata.optional(),
  tags: Tags.optional(),
  storageClass: StorageClass.optional(),
  encryption: Encryption.optional(),
  acl: CannedAcl.optional(),
  objectLock: ObjectLock.optional(),
};
const attributeNames = Object.keys(attributeFields) as (keyof typeof attributeFields)[]; // of a literal

/** What may be said of a written object, as far as it is said. */
export type ObjectAttributes = {
  readonly [Name in keyof typeof attributeFields]?: z.output<(typeof attributeFields)[Name]>;
};

/** Those fields of an input. */
export function attributesOf(input: ObjectAttributes): ObjectAttributes {
  return Object.fromEntries(attributeNames.flatMap((name) => (input[name] === undefined ? [] : [[name, input[name]]])));
}
