import { z } from "zod";
import { ObjectLock } from "./attributes/object-lock.ts";
import { CustomerKeyRef } from "./customer-key.ts";
import { keyProblem, MAX_KEY_BYTES, SAFE_KEY } from "./object-key.ts";

/**
 * A bucket's name. Wider than AWS's rule for new buckets (3 to 63, lower case), because older buckets have names up to 255
 * with upper case and underscores, and other stores shorter ones; never an ARN, so that a job cannot leave its profile.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
 */
export const BucketName = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,253}[A-Za-z0-9])?$/, {
    error: "expected a bucket name: 1 to 255 letters, digits, dots, hyphens or underscores",
  })
  .meta({ description: "Name of a bucket: 1 to 255 letters, digits, dots, hyphens or underscores. Never an ARN" });

/** A key that can be sent safely; see {@link keyProblem}. */
export const ObjectKey = z
  .string()
  .superRefine((key, context) => {
    const problem = keyProblem(key);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  })
  .meta({
    description: 'Key of an object: 1 to 1,024 bytes of UTF-8, without "." and ".." segments',
    // The same as far as JSON Schema can say it: it counts characters, not bytes.
    minLength: 1,
    maxLength: MAX_KEY_BYTES,
    pattern: SAFE_KEY,
  });

/** Text that can be sent: a lone surrogate has no UTF-8 form. */
export const wellFormed = (): z.ZodString =>
  z.string().refine((text) => text.isWellFormed(), { error: "expected well-formed Unicode; it has a lone surrogate" });

/** What keys may start with; empty means all. */
export const KeyPrefix = wellFormed()
  .refine((prefix) => Buffer.byteLength(prefix) <= MAX_KEY_BYTES, {
    error: "expected at most 1,024 bytes of UTF-8, as keys have",
  })
  .meta({
    description: "What the keys start with: at most 1,024 bytes of UTF-8. Empty: all keys",
    maxLength: MAX_KEY_BYTES,
  });

export const ETag = z
  .string()
  .min(1)
  .max(256)
  .meta({ description: "Entity tag as S3 gives it, with or without its quotes" });

const Timestamp = z.iso.datetime();
export const Size = z.int().nonnegative().meta({ description: "Bytes" });

// What fields of several schemas are, said once.
const bucketField = z.string().meta({ description: "Name of the bucket" });
const keyField = z.string().meta({ description: "Key of the object" });
const etagField = z.string().meta({ description: "Entity tag, without its quotes" });
const versionField = z
  .string()
  .optional()
  .meta({ description: "Version of the object, in a bucket that keeps versions" });

/** A bucket, as listings return it. Extra fields are ignored where one is passed as input. */
export const Bucket = z
  .object({
    name: bucketField,
    creationDate: Timestamp.optional().meta({ description: "When it was made, where the store tells it" }),
    region: z.string().optional().meta({ description: "Region that it is in, where the store tells it" }),
  })
  .meta({ id: "Bucket", description: "A bucket. Extra fields are ignored where one is passed as input" });
export type Bucket = z.infer<typeof Bucket>;

/** What keys of a bucket start with, up to and including a delimiter. */
export const Prefix = z
  .object({
    bucket: bucketField,
    prefix: z.string().meta({ description: "What keys start with, up to and including the delimiter" }),
  })
  .meta({ id: "Prefix", description: 'A prefix ("folder") of a bucket' });
export type Prefix = z.infer<typeof Prefix>;

/** An object in a listing. `etag` has no quotes; `size` is in bytes. */
export const S3Object = z
  .object({
    bucket: bucketField,
    key: keyField,
    size: Size,
    etag: etagField,
    lastModified: Timestamp.meta({ description: "When it was written" }),
    storageClass: z.string().meta({ description: "Storage class, such as STANDARD" }),
  })
  .meta({ id: "S3Object", description: "An object in a listing" });
export type S3Object = z.infer<typeof S3Object>;

/** An object with all that HEAD tells of it. */
export const ObjectDetails = S3Object.extend({
  versionId: versionField,
  contentType: z.string().optional().meta({ description: "Its Content-Type" }),
  contentEncoding: z.string().optional().meta({ description: "Its Content-Encoding" }),
  contentDisposition: z.string().optional().meta({ description: "Its Content-Disposition" }),
  contentLanguage: z.string().optional().meta({ description: "Its Content-Language" }),
  cacheControl: z.string().optional().meta({ description: "Its Cache-Control" }),
  expires: z.string().optional().meta({ description: "Its Expires as the store keeps it, which need not be a date" }),
  websiteRedirect: z.string().optional().meta({ description: "Where a website's visitors are sent" }),
  metadata: z.record(z.string(), z.string()).meta({ description: "User metadata, its names in lower case" }),
  checksums: z.record(z.string(), z.string()).optional().meta({
    description: "Base64 checksums by algorithm (CRC64NVME, SHA256 ...), as far as the store keeps them",
  }),
  encryption: z.string().optional().meta({ description: "Server-side encryption, such as AES256 or aws:kms" }),
  objectLock: ObjectLock.optional(),
}).meta({ id: "ObjectDetails", description: "An object with all that HEAD tells of it" });
export type ObjectDetails = z.infer<typeof ObjectDetails>;

/** An object that a job wrote, as the store confirmed it. It can be passed on as input. */
export const WrittenObject = z
  .object({ bucket: bucketField, key: keyField, size: Size, etag: etagField, versionId: versionField })
  .meta({
    id: "WrittenObject",
    description: "An object as the store confirmed it after the write. It can be passed on as input",
  });
export type WrittenObject = z.infer<typeof WrittenObject>;

/** The fields that name an object. */
export const objectFields = {
  bucket: BucketName,
  key: ObjectKey,
  versionId: z
    .string()
    .min(1)
    .max(1024)
    .optional()
    .meta({ description: "That version of it. Default: the current one" }),
};

/**
 * A form that takes what listings and HEAD return as it is: what those tell beside the form's own fields is ignored, and any other field is refused,
 * as it may be a misspelt one.
 */
export function takingEntities<Schema extends z.ZodObject>(form: Schema) {
  const ignored = Object.keys(ObjectDetails.shape).filter((name) => !Object.hasOwn(form.shape, name));
  const withoutIgnored = (given: z.input<Schema>): z.input<Schema> => {
    if (typeof given !== "object" || given === null || Array.isArray(given)) return given;
    const left = Object.entries(given).filter(([name]) => !ignored.includes(name));
    return Object.fromEntries(left) as z.input<Schema>; // without fields that the form does not have
  };
  return z.preprocess(withoutIgnored, form).meta({
    patternProperties: { [`^(?:${ignored.join("|")})$`]: { description: "As a listing tells it; ignored" } },
  });
}

/** Names one object, or one version of it. An {@link S3Object} from a listing can be passed as it is. */
export const ObjectRef = takingEntities(z.strictObject(objectFields)).meta({
  id: "ObjectRef",
  description: "Names one object, or one version of it. An object from a listing can be passed as it is",
});
export type ObjectRef = z.infer<typeof ObjectRef>;

/** The name of a profile in the worker's configuration. */
export const ProfileName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
    error: "expected a profile name: 1 to 64 letters, digits, dots, hyphens or underscores",
  })
  .meta({ description: "Name of a profile in the worker's configuration" });

/**
 * Whose credentials a job uses: a profile of the worker's configuration, or credentials that the app sealed to the
 * workers' public key. Absent means the profile `default`.
 */
export const CredentialsRef = z
  .union([
    ProfileName,
    z.strictObject({
      sealed: z.string().min(1).max(16_384).meta({ description: "What `seal()` made of the app's own credentials" }),
    }),
  ])
  .meta({
    id: "CredentialsRef",
    description:
      "Whose credentials are used: a profile of the worker, or credentials sealed to its public key. Default: the profile `default`",
  });
export type CredentialsRef = z.infer<typeof CredentialsRef>;

/** What the headers of an answer may have together in every HTTP library, and so what one of them may have at most. */
const MAX_HEADER = 8192;

/** Where the content of an object lies outside S3. Jobs carry this pointer, never bytes. */
export const DocumentPointer = z
  .strictObject({
    id: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/, { error: "expected a document id" })
      .meta({ description: "Made by the store, never from a key" }),
    name: z.string().min(1).max(1024).meta({ description: "Name for people, and the default key of an upload" }),
    size: Size,
    contentType: z.string().min(1).max(MAX_HEADER).meta({ description: "Media type of the content" }),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, { error: "expected 64 hexadecimal digits" })
      .meta({ description: "SHA-256 of the content: hex, lower case" }),
    // Clients of other languages write the same instant with an offset.
    expiresAt: z.iso.datetime({ offset: true }).meta({ description: "When it may be removed" }),
    deleteAfterDownload: z.boolean().meta({ description: "Whether it is removed once it was read whole" }),
  })
  .meta({ id: "DocumentPointer", description: "Where the content of an object lies outside S3" });
export type DocumentPointer = z.infer<typeof DocumentPointer>;

/** Bytes of an object: from `start` to `end`, both counted, or the `last` so many. */
export const ByteRange = z
  .union([
    z
      .strictObject({
        start: z.int().nonnegative().meta({ description: "First byte, from 0" }),
        end: z
          .int()
          .nonnegative()
          .optional()
          .meta({ description: "Last byte, counted too. Default: the object's last" }),
      })
      .refine(({ start, end }) => end === undefined || end >= start, {
        path: ["end"],
        error: "expected an end at or after start",
      }),
    z.strictObject({ last: z.int().positive().meta({ description: "So many bytes at the end" }) }),
  ])
  .meta({ id: "ByteRange", description: "Part of an object, in bytes" });
export type ByteRange = z.infer<typeof ByteRange>;

/** Where an object goes. The key defaults to the source's; the credentials to the job's. */
export const Destination = z
  .strictObject({
    bucket: BucketName,
    key: ObjectKey.optional().meta({ description: "Key of the copy. Default: the source's" }),
    credentials: CredentialsRef.optional().meta({ description: "Whose credentials write. Default: the job's" }),
    customerKey: CustomerKeyRef.optional().meta({
      description:
        "The customer's key that encrypts what is written. Default: the source's, unless encryption is given",
    }),
  })
  .meta({ id: "Destination", description: "Where the object goes" });
export type Destination = z.infer<typeof Destination>;

/** What to do where the destination already has an object under the key. */
export const OnConflict = z.enum(["overwrite", "skip", "skip-identical", "fail"]).meta({
  id: "OnConflict",
  description:
    "Where the destination has an object under the key: replace it, leave it, leave it where it is the same content, or fail with DestinationExists",
});
export type OnConflict = z.infer<typeof OnConflict>;

/** Whether a copy may replace nothing. */
export const isGuarded = (onConflict: OnConflict | undefined): boolean =>
  onConflict === "fail" || onConflict === "skip";

/** Whether nothing but a look keeps what lies where a copy may replace nothing: the store itself does not see to it. */
export const keepsByLook = (
  { conditionalWrite }: { readonly conditionalWrite: boolean },
  onConflict: OnConflict | undefined,
): boolean => isGuarded(onConflict) && !conditionalWrite;

/** What to do while another job or batch is at work on the same objects: wait until it has ended, or fail with `Overlap`. */
export const OnOverlap = z.enum(["wait", "fail"]).meta({
  id: "OnOverlap",
  description:
    "While another job or batch is at work on the same objects: wait until it has ended, or fail with Overlap",
});
export type OnOverlap = z.infer<typeof OnOverlap>;

/**
 * What proved that a copy is the source: equal MD5 ETags, equal checksums, or equal sizes on top of a copy that was
 * fenced by the source's ETag.
 */
export const Verified = z.enum(["etag", "checksum", "size"]).meta({
  id: "Verified",
  description:
    "What proved that a copy is the source: equal MD5 ETags, equal checksums, or equal sizes under the source's ETag",
});
export type Verified = z.infer<typeof Verified>;

/** `conditional`: the store itself refused to delete anything but the pinned content. `best-effort`: a HEAD just before the delete said so. */
export const Guarantee = z.enum(["conditional", "best-effort"]).meta({
  id: "Guarantee",
  description:
    "conditional: the store itself refused to delete anything but the pinned content. best-effort: a HEAD just before the delete said so",
});
export type Guarantee = z.infer<typeof Guarantee>;
