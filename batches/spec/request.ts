import { z } from "zod";
import { ActivityError } from "../../model/activity-error.ts";
import { hasOneCredentials, problems } from "./problems.ts";
import {
  BucketName,
  CredentialsRef,
  DocumentPointer,
  KeyPrefix,
  ObjectKey,
  ObjectRef,
  OnConflict,
  OnOverlap,
  Verified,
  wellFormed,
} from "../../model/entities.ts";
import { countWildcards } from "../../model/glob/create.ts";
import { parseGlob } from "../../model/glob/parse.ts";
import { attributeFields, attributesOf, StorageClass } from "../../model/object-attributes.ts";

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
    /** Globs on the key after `source.prefix` (the whole key for items and manifests); one must match. `*` does not cross a `/`, `**` does; see `createGlob`. */
    include: z.array(Glob).min(1).max(100).optional(),
    /** Globs; none may match. */
    exclude: z.array(Glob).min(1).max(100).optional(),
    /** Bytes, both ends counted. */
    minSize: z.int().nonnegative().optional(),
    maxSize: z.int().nonnegative().optional(),
    /** Last modified before or after this instant, in UTC or with an offset. */
    modifiedBefore: z.iso.datetime({ offset: true }).optional(),
    modifiedAfter: z.iso.datetime({ offset: true }).optional(),
    storageClasses: z.array(StorageClass).min(1).max(20).optional(),
  })
  .refine(({ minSize = 0, maxSize = Infinity }) => minSize <= maxSize, {
    path: ["maxSize"],
    error: "expected maxSize to be at least minSize",
  })
  .refine(({ include = [], exclude = [] }) => wildcardsOf([...include, ...exclude]) <= MAX_WILDCARDS, {
    path: ["include"],
    error: `expected at most ${MAX_WILDCARDS} wildcards in all globs together; give the objects as items or a manifest`,
  });

/** Of patterns that are globs; one that is not was refused by itself. */
function wildcardsOf(patterns: readonly string[]): number {
  return patterns.reduce((sum, pattern) => sum + countWildcards(parseGlob(pattern)), 0);
}

export type BatchFilter = z.infer<typeof BatchFilter>;

const PrefixSource = z.strictObject({ bucket: BucketName, prefix: KeyPrefix.default("") });

const BatchItem = ObjectRef.extend({
  /** The pin: without it the object is looked at just before it is copied. */
  etag: z.string().min(1).max(256).optional(),
  size: z.int().nonnegative().optional(),
  lastModified: z.iso.datetime().optional(),
  storageClass: z.string().max(64).optional(),
  /** Overrules `destination.prefix`. */
  destinationKey: ObjectKey.optional(),
});
export type BatchItem = z.infer<typeof BatchItem>;

const ItemsSource = z.strictObject({ items: z.array(BatchItem).min(1).max(MAX_ITEMS) });

const ManifestSource = z.strictObject({
  manifest: DocumentPointer,
  /**
   * `csv`: lines of `bucket,key[,versionId]` with URL-encoded keys, as S3 Batch Operations and S3 Inventory write them.
   * `ndjson`: lines of `{ bucket?, key, versionId?, etag?, size?, destinationKey? }`.
   * https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-create-job.html#specify-batchjob-manifest
   */
  format: z.enum(["csv", "ndjson"]),
  /** For NDJSON lines without one. */
  bucket: BucketName.optional(),
});

const BatchDestination = z.strictObject({
  bucket: BucketName,
  /** Takes the place of `source.prefix`; stands before the whole key of items and manifests. Default: keys stay as they are. */
  prefix: KeyPrefix.optional(),
  credentials: CredentialsRef.optional(),
});

/** What a batch does, to which objects, and how carefully. */
export const BatchSpec = z
  .strictObject({
    operation: z.enum(["copy", "move", "delete"]),
    credentials: CredentialsRef.optional(),
    source: z.union([PrefixSource, ItemsSource, ManifestSource], {
      error: "expected { bucket, prefix }, { items: 1 to 1,000 objects } or { manifest, format }",
    }),
    /** Required for copy and move. */
    destination: BatchDestination.optional(),
    filter: BatchFilter.optional(),
    onConflict: OnConflict.default("overwrite"),
    /**
     * While another batch, or a move-object job, moves from where this one writes, or writes where this one moves from. Two moves that cross would
     * delete the only copy. `wait`: starts once the other has ended; `fail`: the batch fails with `Overlap`.
     */
    onOverlap: OnOverlap.default("wait"),
    /** The weakest proof on which a move may delete a source. */
    minVerify: Verified.default("size"),
    /** What becomes of objects that must be restored before they can be read (GLACIER, DEEP_ARCHIVE). */
    archived: z.enum(["skip", "fail"]).default("fail"),
    /** Replaces what copies else carry over from their sources. */
    ...attributeFields,
    /** 1 goes first, 2,000 last; batches of one priority share fairly. */
    priority: z.int().min(1).max(MAX_PRIORITY).default(100),
    /** Over all workers. */
    maxObjectsPerSecond: z.number().positive().max(1_000_000).optional(),
    /** The batch ends, completed, after so many objects. */
    maxObjects: Count.optional(),
    /** The batch ends, completed, before the object that would exceed so many bytes. */
    maxBytes: Count.optional(),
    /** The batch fails once more than `ratio` of at least `minimum` attempted objects failed. */
    failureThreshold: z
      .strictObject({ ratio: z.number().min(0).max(1).default(0.5), minimum: Count.default(1000) })
      .default({ ratio: 0.5, minimum: 1000 }),
    /** Which rows the report holds: all, or only what failed or was not attempted. */
    report: z.enum(["all", "failures"]).default("all"),
    /** Only lists and counts; ends `planned`, waiting for `confirm()`. */
    dryRun: z.boolean().default(false),
    /** Seconds for which record and report are kept after the end, and for which a plan can be confirmed. Default 30 days. */
    retention: z
      .int()
      .min(60)
      .max(3650 * DAY_S)
      .default(30 * DAY_S),
    /** For people. */
    label: z.string().min(1).max(200).optional(),
  })
  .superRefine((spec, context) => {
    for (const { path, message } of problems(spec)) context.addIssue({ code: "custom", path, message });
  });

/** The spec as it is stored: defaults filled in. */
export type BatchSpec = z.output<typeof BatchSpec>;
/** The spec as it is given. */
export type BatchSpecInput = z.input<typeof BatchSpec>;
export type BatchOperation = BatchSpec["operation"];

export type PrefixSource = z.output<typeof PrefixSource>;
export type ManifestSource = z.output<typeof ManifestSource>;

/**
 * Checks a request for a batch.
 *
 * @throws ActivityError `InvalidInput` with the path of the first field that is wrong, `BatchOverlap` where the batch would read what it writes
 */
export function parseBatchSpec(input: unknown): BatchSpec {
  const parsed = BatchSpec.safeParse(input);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join(".") ?? "";
    const sentence = issue?.message ?? "expected a batch";
    throw new ActivityError("InvalidInput", `batch${field === "" ? "" : `.${field}`}: ${sentence}`, {
      ...(field !== "" && { field }),
      cause: parsed.error,
    });
  }
  refuseOverlap(parsed.data, sameBucketByName(parsed.data));
  return parsed.data;
}

/** As far as the request itself tells: same credentials, same name. Workers look closer. */
function sameBucketByName(spec: BatchSpec): boolean {
  const { source, destination } = spec;
  return "prefix" in source && source.bucket === destination?.bucket && hasOneCredentials(spec);
}

/**
 * Refuses a batch whose every copy would land among its own sources: it would list its copies, or delete what it just wrote.
 *
 * @param sameBucket whether both ends are one bucket
 * @throws ActivityError `BatchOverlap`
 */
export function refuseOverlap(spec: BatchSpec, sameBucket: boolean): void {
  const { source, destination, operation } = spec;
  if (!("prefix" in source) || destination === undefined || !sameBucket || isInPlace(spec)) return;
  const from = `s3://${source.bucket}/${source.prefix}`;
  const prefix = destination.prefix ?? source.prefix;
  const to = `s3://${destination.bucket}/${prefix}`;
  if (!prefix.startsWith(source.prefix)) return;
  const how = prefix === source.prefix ? `a ${operation} onto itself` : "which lies inside its own source";
  throw new ActivityError("BatchOverlap", `expected another destination for ${from} than ${to}, ${how}`, {
    field: destination.prefix === undefined ? "destination" : "destination.prefix",
  });
}

/** Whether a batch says something of its objects, so that a copy of one onto itself changes it. */
export function changesInPlace(spec: BatchSpec): boolean {
  return spec.operation === "copy" && Object.keys(attributesOf(spec)).length > 0;
}

/** Whether a batch changes the objects of a prefix where they are. */
export function isInPlace(spec: BatchSpec): boolean {
  const { source, destination } = spec;
  if (!("prefix" in source) || destination?.bucket !== source.bucket) return false;
  return (destination.prefix ?? source.prefix) === source.prefix && changesInPlace(spec);
}

/** Where an object of the batch goes; `undefined` for a delete. */
export function destinationKeyOf(spec: BatchSpec, key: string): string | undefined {
  const { source, destination } = spec;
  if (destination === undefined) return undefined;
  if (destination.prefix === undefined) return key;
  return "prefix" in source ? destination.prefix + key.slice(source.prefix.length) : destination.prefix + key;
}

/** The prefix a batch lists, where it does. */
export function prefixSource({ source }: BatchSpec): PrefixSource | undefined {
  return "prefix" in source ? source : undefined;
}

/** Whether a batch works on all that its source names, so that how much that is can be told before. */
export function takesAll({ filter, maxObjects, maxBytes }: BatchSpec): boolean {
  return filter === undefined && maxObjects === undefined && maxBytes === undefined;
}

/** Where a batch comes from, for people. */
export function describeSource({ source }: BatchSpec): string {
  if ("prefix" in source) return `s3://${source.bucket}/${source.prefix}`;
  return "items" in source ? "the items" : `manifest ${source.manifest.name}`;
}
