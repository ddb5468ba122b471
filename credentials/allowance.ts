import type { ActivityName } from "../jobs/contracts.ts";

/** One allowance: these activities (or `*`), in buckets that match these globs, on keys with these prefixes (absent: all). */
export type Allowance = {
  readonly activities: readonly (ActivityName | "*")[];
  readonly buckets: readonly string[];
  readonly prefixes?: readonly string[] | undefined;
};
export type Policy = readonly Allowance[];
