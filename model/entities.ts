import { z } from "zod";
import { keyProblem, MAX_KEY_BYTES } from "./object-key.ts";

/**
 * A bucket's name. Wider than AWS's rule for new buckets (3 to 63, lower case), because older buckets have names up to 255
 * with upper case and underscores, and other stores shorter ones; never an ARN, so that a job cannot leave its profile.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
 */
export const BucketName = z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,253}[A-Za-z0-9])?$/, {
  error: "expected a bucket name: 1 to 255 letters, digits, dots, hyphens or underscores",
});

/** A key that can be sent safely; see {@link keyProblem}. */
export const ObjectKey = z.string().superRefine((key, context) => {
  const problem = keyProblem(key);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

/** Text that can be sent: a lone surrogate has no UTF-8 form. */
export const wellFormed = (): z.ZodString =>
  z.string().refine((text) => text.isWellFormed(), { error: "expected well-formed Unicode; it has a lone surrogate" });

/** What keys may start with; empty means all. */
export const KeyPrefix = wellFormed().refine((prefix) => Buffer.byteLength(prefix) <= MAX_KEY_BYTES, {
  error: "expected at most 1,024 bytes of UTF-8, as keys have",
});

/** An entity tag as S3 gives it, with or without its quotes. */
export const ETag = z.string().min(1).max(256);

const Timestamp = z.iso.datetime();
const Size = z.int().nonnegative();

/** A bucket, as listings return it. Extra fields are ignored where one is passed as input. */
export const Bucket = z.object({
  name: z.string(),
  creationDate: Timestamp.optional(),
  region: z.string().optional(),
});
export type Bucket = z.infer<typeof Bucket>;

/** What keys of a bucket start with, up to and including a delimiter. */
export const Prefix = z.object({ bucket: z.string(), prefix: z.string() });
export type Prefix = z.infer<typeof Prefix>;

/** An object in a listing. `etag` has no quotes; `size` is in bytes. */
export const S3Object = z.object({
  bucket: z.string(),
  key: z.string(),
  size: Size,
  etag: z.string(),
  lastModified: Timestamp,
  storageClass: z.string(),
});
export type S3Object = z.infer<typeof S3Object>;

/** An object with all that HEAD tells of it. */
export const ObjectDetails = S3Object.extend({
  versionId: z.string().optional(),
  contentType: z.string().optional(),
  contentEncoding: z.string().optional(),
  contentDisposition: z.string().optional(),
  contentLanguage: z.string().optional(),
  cacheControl: z.string().optional(),
  /** As the store keeps it, which need not be a date. */
  expires: z.string().optional(),
  websiteRedirect: z.string().optional(),
  metadata: z.record(z.string(), z.string()),
  /** Base64 checksums by algorithm (`CRC64NVME`, `SHA256` ...), as far as the store keeps them. */
  checksums: z.record(z.string(), z.string()).optional(),
  encryption: z.string().optional(),
});
export type ObjectDetails = z.infer<typeof ObjectDetails>;

/** An object that a job wrote, as the store confirmed it. It can be passed on as input. */
export const WrittenObject = z.object({
  bucket: z.string(),
  key: z.string(),
  size: Size,
  etag: z.string(),
  versionId: z.string().optional(),
});
export type WrittenObject = z.infer<typeof WrittenObject>;

/** Names one object, or one version of it. An {@link S3Object} from a listing can be passed as it is. */
export const ObjectRef = z.object({
  bucket: BucketName,
  key: ObjectKey,
  versionId: z.string().min(1).max(1024).optional(),
});
export type ObjectRef = z.infer<typeof ObjectRef>;

/** The name of a profile in the worker's configuration. */
export const ProfileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
  error: "expected a profile name: 1 to 64 letters, digits, dots, hyphens or underscores",
});

/**
 * Whose credentials a job uses: a profile of the worker's configuration, or credentials that the app sealed to the
 * workers' public key. Absent means the profile `default`.
 */
export const CredentialsRef = z.union([ProfileName, z.strictObject({ sealed: z.string().min(1).max(16_384) })]);
export type CredentialsRef = z.infer<typeof CredentialsRef>;

/** What the headers of an answer may have together in every HTTP library, and so what one of them may have at most. */
const MAX_HEADER = 8192;

/** Where the content of an object lies outside S3. Jobs carry this pointer, never bytes. */
export const DocumentPointer = z.strictObject({
  /** Made by the store, never from a key. */
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/, { error: "expected a document id" }),
  name: z.string().min(1).max(1024),
  /** Bytes. */
  size: Size,
  contentType: z.string().min(1).max(MAX_HEADER),
  /** Hex, lower case. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/, { error: "expected 64 hexadecimal digits" }),
  expiresAt: Timestamp,
  deleteAfterDownload: z.boolean(),
});
export type DocumentPointer = z.infer<typeof DocumentPointer>;

/** Bytes of an object: from `start` to `end`, both counted, or the `last` so many. */
export const ByteRange = z.union([
  z
    .strictObject({ start: z.int().nonnegative(), end: z.int().nonnegative().optional() })
    .refine(({ start, end }) => end === undefined || end >= start, {
      path: ["end"],
      error: "expected an end at or after start",
    }),
  z.strictObject({ last: z.int().positive() }),
]);
export type ByteRange = z.infer<typeof ByteRange>;

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
  );

/** Up to ten tags. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html */
export const Tags = z
  .record(wellFormed().min(1).max(128), wellFormed().max(256))
  .refine((tags) => Object.keys(tags).length <= 10, { error: "expected at most 10 tags" });

export const StorageClass = z.string().regex(/^[A-Z][A-Z0-9_]{1,63}$/, {
  error: "expected a storage class such as STANDARD or INTELLIGENT_TIERING",
});

/** Server-side encryption of what is written. */
export const Encryption = z.union([
  z.strictObject({ type: z.literal("AES256") }),
  z.strictObject({
    type: z.enum(["aws:kms", "aws:kms:dsse"]),
    keyId: z.string().min(1).max(2048).optional(),
    /** One data key for the bucket instead of one for each object, which costs less. Default: the bucket's. */
    bucketKey: z.boolean().optional(),
  }),
]);
export type Encryption = z.infer<typeof Encryption>;

/** A header's value: text that HTTP can carry and S3 keeps, beyond ASCII as UTF-8. System metadata has at most 2 KB. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
const HeaderValue = wellFormed()
  .min(1)
  .max(2048)
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  .refine((text) => !/[\u0000-\u001f\u007f]/.test(text), {
    error: "expected a header's value, without line breaks and other control characters",
  })
  .refine((text) => text.trim() === text, { error: "expected no whitespace at either end, which no header keeps" });

export const ContentType = HeaderValue;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl */
export const CannedAcl = z.enum([
  "private",
  "public-read",
  "public-read-write",
  "authenticated-read",
  "aws-exec-read",
  "bucket-owner-read",
  "bucket-owner-full-control",
]);
export type CannedAcl = z.infer<typeof CannedAcl>;

/** How long a version must stay, in a bucket with Object Lock. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html */
export const ObjectLock = z
  .strictObject({
    mode: z.enum(["GOVERNANCE", "COMPLIANCE"]).optional(),
    retainUntil: z.iso.datetime({ offset: true }).optional(),
    legalHold: z.boolean().optional(),
  })
  .refine(({ mode, retainUntil }) => (mode === undefined) === (retainUntil === undefined), {
    error: "expected mode and retainUntil together",
  });
export type ObjectLock = z.infer<typeof ObjectLock>;

/**
 * What may be said of a written object. A copy carries over from its source what is not given; access (`acl`) and locks are never
 * carried over, by S3 neither.
 */
export const attributeFields = {
  contentType: ContentType.optional(),
  contentEncoding: HeaderValue.optional(),
  contentDisposition: HeaderValue.optional(),
  contentLanguage: HeaderValue.optional(),
  cacheControl: HeaderValue.optional(),
  /** As S3 keeps it: an HTTP date, or whatever else clients are to get. */
  expires: HeaderValue.optional(),
  /** Where a website's visitors are sent: a key of the bucket after a slash, or a URL. */
  websiteRedirect: HeaderValue.regex(/^(\/|https?:\/\/)/, {
    error: "expected a path that starts with /, or an http or https URL",
  }).optional(),
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

/** Where an object goes. The key defaults to the source's; the credentials to the job's. */
export const Destination = z.strictObject({
  bucket: BucketName,
  key: ObjectKey.optional(),
  credentials: CredentialsRef.optional(),
});
export type Destination = z.infer<typeof Destination>;

/** What to do where the destination already has an object under the key. */
export const OnConflict = z.enum(["overwrite", "skip", "skip-identical", "fail"]);
export type OnConflict = z.infer<typeof OnConflict>;

/** What to do while another job or batch is at work on the same objects: wait until it has ended, or fail with `Overlap`. */
export const OnOverlap = z.enum(["wait", "fail"]);
export type OnOverlap = z.infer<typeof OnOverlap>;

/**
 * What proved that a copy is the source: equal MD5 ETags, equal checksums, or equal sizes on top of a copy that was
 * fenced by the source's ETag.
 */
export const Verified = z.enum(["etag", "checksum", "size"]);
export type Verified = z.infer<typeof Verified>;

/** `conditional`: the store itself refused to delete anything but the pinned content. `best-effort`: a HEAD just before the delete said so. */
export const Guarantee = z.enum(["conditional", "best-effort"]);
export type Guarantee = z.infer<typeof Guarantee>;
