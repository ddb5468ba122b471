import type { z } from "zod";
import type { ActivityName } from "../../jobs/contracts.ts";
import type { LeaseRole } from "../../redis/leases.ts";
import type { ReportRow } from "../report/row.ts";

/**
 * What can be told of a verb without doing it: enough for whoever asks for a batch and shows it. How it is done is loaded by the worker alone.
 * Everything outside of this folder reads these properties, and never asks for a verb's name.
 */
export type Verb = {
  /** What may be asked of it: `batchFields`, its name as the literal `operation`, and a destination or none. */
  readonly spec: z.ZodType;
  /** How it is shown where one chooses among verbs. */
  readonly title: string;
  readonly hint: string;
  /** The activity that the policy of its credentials is asked about, for both ends. */
  readonly access: ActivityName;
  /** The objects that a batch names. */
  readonly source: {
    readonly ends: "kept" | "deleted";
    /** Keeps moves that cross it away; none: whatever is there is taken as it is. */
    readonly lease?: LeaseRole;
  };
  /** Where they go to; absent for verbs that work on objects where they are. */
  readonly destination?: { readonly lease: LeaseRole };
  /** Whether a copy of an object onto itself changes what S3 says of it, where the batch says something, instead of having nothing to do. */
  readonly rewrites: boolean;
  /** What a line of a manifest says of an object that failed, beside its names, so that another batch tries it again. */
  readonly retry: (row: ReportRow) => Readonly<Record<string, unknown>>;
  /** Loads the verb's `operation.ts`. */
  readonly load: () => Promise<unknown>;
};

export const defineVerb = <Defined extends Verb>(verb: Defined): Defined => verb;
