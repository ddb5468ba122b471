import { z } from "zod";
import {
  BucketName,
  CredentialsRef,
  DocumentPointer,
  KeyPrefix,
  ObjectKey,
  objectFields,
  OnConflict,
  OnOverlap,
  takingEntities,
  Verified,
  wellFormed,
} from "../../model/entities.ts";
import { CustomerKeyRef } from "../../model/customer-key.ts";
import { countWildcards } from "../../model/glob/create.ts";
import { parseGlob } from "../../model/glob/parse.ts";
import { copiedFields } from "../../model/attributes/carried.ts";
import { StorageClass } from "../../model/object-attributes.ts";

/** The most objects that may be named in the request itself; more go into a manifest document. */
export const MAX_ITEMS = 1000;

/** Lower goes first. BullMQ holds 2^21 priorities; each of ours spans a thousand of them, for fair sharing. */
export const MAX_PRIORITY = 2000;
const DAY_S = 24 * 3600;

/** What one key may cost grows with the wildcards of a filter times the key's length. */
const MAX_WILDCARDS = 1000;

const Glob = wellFormed()
  .min(1)
  .max(1024)
  .superRefine((pattern, context) => {
    try {
      parseGlob(pattern);
    } catch (error) {
      // Throws plain errors that say what was expected, and where.
      context.addIssue({ code: "custom", message: `not a glob: ${(error as Error).message}`, continue: false });
    }
  });
const Count = z.int().positive();

/** Which objects of a prefix are meant. All conditions must hold. Objects that do not match are only counted as `filtered`. */
export const BatchFilter = z
  .strictObject({
    include: z.array(Glob).min(1).max(100).optional().meta({
      description:
        "Globs on the key after `source.prefix` (the whole key for items and manifests); one must match. `*` does not cross a `/`, `**` does",
    }),
    exclude: z.array(Glob).min(1).max(100).optional().meta({ description: "Globs; none may match" }),
    minSize: z.int().nonnegative().optional().meta({ description: "Bytes that an object has at least" }),
    maxSize: z.int().nonnegative().optional().meta({ description: "Bytes that an object has at most" }),
    modifiedBefore: z.iso
      .datetime({ offset: true })
      .optional()
      .meta({ description: "Last modified before this instant" }),
    modifiedAfter: z.iso
      .datetime({ offset: true })
      .optional()
      .meta({ description: "Last modified after this instant" }),
    storageClasses: z
      .array(StorageClass)
      .min(1)
      .max(20)
      .optional()
      .meta({ description: "Objects of these storage classes" }),
  })
  .refine(({ minSize = 0, maxSize = Infinity }) => minSize <= maxSize, {
    path: ["maxSize"],
    error: "expected maxSize to be at least minSize",
  })
  .refine(({ include = [], exclude = [] }) => wildcardsOf([...include, ...exclude]) <= MAX_WILDCARDS, {
    path: ["include"],
    error: `expected at most ${MAX_WILDCARDS} wildcards in all globs together; give the objects as items or a manifest`,
  })
  .meta({
    id: "BatchFilter",
    description: "Which objects are meant. All conditions must hold; what does not match is only counted as `filtered`",
  });

/** Of patterns that are globs; one that is not was refused by itself. */
function wildcardsOf(patterns: readonly string[]): number {
  return patterns.reduce((sum, pattern) => sum + countWildcards(parseGlob(pattern)), 0);
}

export type BatchFilter = z.infer<typeof BatchFilter>;

export const PrefixSource = z
  .strictObject({ bucket: BucketName, prefix: KeyPrefix.default("") })
  .meta({ id: "PrefixSource", description: "All objects of a bucket whose keys start with a prefix" });

const BatchItem = takingEntities(
  z.strictObject({
    ...objectFields,
    etag: z.string().min(1).max(256).optional().meta({
      description: "Only the content with this ETag. Without it the object is looked at just before it is copied",
    }),
    size: z.int().nonnegative().optional().meta({ description: "Bytes, where they are known" }),
    lastModified: z.iso.datetime().optional().meta({ description: "When it was written, where that is known" }),
    storageClass: z.string().max(64).optional().meta({ description: "Its storage class, where that is known" }),
    destinationKey: ObjectKey.optional().meta({ description: "Key of the copy; overrules `destination.prefix`" }),
  }),
).meta({ id: "BatchItem", description: "One object of a batch. An object from a listing can be passed as it is" });
export type BatchItem = z.infer<typeof BatchItem>;

const ItemsSource = z
  .strictObject({
    items: z
      .array(BatchItem)
      .min(1)
      .max(MAX_ITEMS)
      .meta({ description: "1 to 1,000 objects, each once; more go into a manifest" }),
  })
  .meta({ id: "ItemsSource", description: "Objects that are named one by one" });

const ManifestSource = z
  .strictObject({
    manifest: DocumentPointer.meta({ description: "The document that names the objects, a line each" }),
    /**
     * `csv`: lines of `bucket,key[,versionId]` with URL-encoded keys, as S3 Batch Operations and S3 Inventory write them.
     * `ndjson`: lines of `{ bucket?, key, versionId?, etag?, size?, destinationKey? }`.
     * https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-create-job.html#specify-batchjob-manifest
     */
    format: z.enum(["csv", "ndjson"]).meta({
      description:
        "csv: lines of bucket,key[,versionId] with URL-encoded keys, as S3 Batch Operations and S3 Inventory write them; ndjson: JSON objects, see manifest-line.json",
    }),
    bucket: BucketName.optional().meta({ description: "For NDJSON lines without one" }),
  })
  .meta({ id: "ManifestSource", description: "Objects that a document names" });

/** Where the objects of a batch go; for verbs that have a destination. @param verb for the message where there is none */
export const destinationOf = (verb: string) =>
  z
    .strictObject(
      {
        bucket: BucketName,
        prefix: KeyPrefix.optional().meta({
          description:
            "Takes the place of `source.prefix`; stands before the whole key of items and manifests. Default: keys stay as they are",
        }),
        credentials: CredentialsRef.optional().meta({ description: "Whose credentials write. Default: the batch's" }),
        customerKey: CustomerKeyRef.optional().meta({
          description:
            "Of the customer's keys, the one that encrypts what is written. Default: `customerKey`, unless `encryption` is given",
        }),
      },
      { error: ({ input }) => (input === undefined ? `expected one for a ${verb}` : undefined) },
    )
    .meta({ description: "Where the objects go" });

/** For verbs that work on objects where they are. @param verb for the message */
export const noDestination = (verb: string) => z.never({ error: `expected none for a ${verb}` }).optional();

/** What a batch of every verb may be asked for, beside the verb and its destination. */
export const batchFields = {
  credentials: CredentialsRef.optional(),
  requesterPays: z.boolean().optional().meta({
    description: "The requester pays, in buckets whose owners want that. Default: as the profile says",
  }),
  customerKey: CustomerKeyRef.optional().meta({
    description: "The customer's key that encrypts the sources (SSE-C); those without one are copied all the same",
  }),
  source: z
    .union([PrefixSource, ItemsSource, ManifestSource], {
      error: "expected { bucket, prefix }, { items: 1 to 1,000 objects } or { manifest, format }",
    })
    .meta({ description: "Which objects: a prefix, items, or a manifest" }),
  filter: BatchFilter.optional(),
  onConflict: OnConflict.default("overwrite"),
  /**
   * While another batch, or a move-object job, moves from where this one writes, or writes where this one moves from. Two moves that cross would
   * delete the only copy. `wait`: starts once the other has ended; `fail`: the batch fails with `Overlap`.
   */
  onOverlap: OnOverlap.default("wait"),
  minVerify: Verified.default("size").meta({ description: "The weakest proof on which a move may delete a source" }),
  archived: z.enum(["skip", "fail"]).default("fail").meta({
    description: "What becomes of objects that must be restored before they can be read (GLACIER, DEEP_ARCHIVE)",
  }),
  // Replaces what copies else carry over from their sources.
  ...copiedFields,
  priority: z
    .int()
    .min(1)
    .max(MAX_PRIORITY)
    .default(100)
    .meta({ description: "1 goes first, 2,000 last; batches of one priority share fairly" }),
  maxObjectsPerSecond: z
    .number()
    .positive()
    .max(1_000_000)
    .optional()
    .meta({ description: "At most so many objects a second, over all workers. Default: no limit" }),
  maxObjects: Count.optional().meta({ description: "The batch ends, completed, after so many objects" }),
  maxBytes: Count.optional().meta({
    description: "The batch ends, completed, before the object that would exceed so many bytes",
  }),
  failureThreshold: z
    .strictObject({
      ratio: z.number().min(0).max(1).default(0.5).meta({ description: "Part of the attempted objects, from 0 to 1" }),
      minimum: Count.default(1000).meta({ description: "Attempted objects before it is looked at" }),
    })
    .default({ ratio: 0.5, minimum: 1000 })
    .meta({ description: "The batch fails once more than `ratio` of at least `minimum` attempted objects failed" }),
  report: z
    .enum(["all", "failures"])
    .default("all")
    .meta({ description: "Which rows the report holds: all, or only what failed or was not attempted" }),
  dryRun: z
    .boolean()
    .default(false)
    .meta({ description: "Only lists and counts; ends `planned`, waiting to be confirmed" }),
  retention: z
    .int()
    .min(60)
    .max(3650 * DAY_S)
    .default(30 * DAY_S)
    .meta({
      description:
        "Seconds for which record and report are kept after the end, and for which a plan can be confirmed. Default: 30 days",
    }),
  label: z.string().min(1).max(200).optional().meta({ description: "Name of the batch, for people" }),
};

export type PrefixSource = z.output<typeof PrefixSource>;
export type ManifestSource = z.output<typeof ManifestSource>;
