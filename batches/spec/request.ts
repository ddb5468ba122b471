import { z } from "zod";
import { parseOptions } from "../../jobs/parse-input.ts";
import { ActivityError } from "../../model/activity-error.ts";
import { replacedOf } from "../../model/attributes/carried.ts";
import { operations, VERB_NAMES, verbOf } from "../operations.ts";
import type { batchFields, destinationOf, PrefixSource } from "./fields.ts";
import { hasOneCredentials, problems } from "./problems.ts";

/** What a batch does, to which objects, and how carefully: the request of one of the verbs. */
export const BatchSpec = z
  .discriminatedUnion(
    "operation",
    Object.values(operations).map(({ spec }) => spec) as [VerbSpec, ...VerbSpec[]], // there is at least one
    {
      error: ({ code }) => (code === "invalid_union" ? `expected one of ${VERB_NAMES.join(", ")}` : undefined),
    },
  )
  .superRefine((spec, context) => {
    for (const { path, message } of problems(spec)) context.addIssue({ code: "custom", path, message });
  });

type VerbSpec = (typeof operations)[keyof typeof operations]["spec"];

export type BatchOperation = keyof typeof operations;

type Destination = ReturnType<typeof destinationOf>;
/** What single verbs take beside the fields of all. */
type Own<Spec, Fields> = {
  readonly [Name in Exclude<NameOf<Spec>, keyof Fields | "operation" | "destination">]?: FieldOf<Spec, Name>;
};
type NameOf<Spec> = Spec extends unknown ? keyof Spec : never;
type FieldOf<Spec, Name> = Spec extends unknown ? (Name extends keyof Spec ? Spec[Name] : never) : never;

type StoredFields = z.output<z.ZodObject<typeof batchFields>>;
type GivenFields = z.input<z.ZodObject<typeof batchFields>>;

/** The spec as it is stored: defaults filled in. */
export type BatchSpec = StoredFields &
  Own<z.output<VerbSpec>, StoredFields> & {
    operation: BatchOperation;
    /** Absent for a delete. */
    destination?: z.output<Destination> | undefined;
  };

/** The spec as it is given. Which verb takes which fields is checked when it is parsed. */
export type BatchSpecInput = GivenFields &
  Own<z.input<VerbSpec>, GivenFields> & {
    operation: BatchOperation;
    /** Required for copy and move. */
    destination?: z.input<Destination> | undefined;
  };

/**
 * Checks a request for a batch.
 *
 * @throws ActivityError `InvalidInput` that names every wrong field; `field` is the path of the first, `BatchOverlap` where the batch would read what it writes
 */
export function parseBatchSpec(input: unknown): BatchSpec {
  const spec = parseOptions("batch", BatchSpec, input);
  refuseOverlap(spec, sameBucketByName(spec));
  return spec;
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
  const says = Object.keys(replacedOf(spec)).length > 0 || spec.destination?.customerKey !== undefined;
  return verbOf(spec).rewrites && says;
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
