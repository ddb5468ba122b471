/** `viewer` may look at everything; `operator` may change things too. */
export type Role = "viewer" | "operator";

/** What a token is for; a part that is left out limits nothing. */
export type Scope = {
  readonly activities?: readonly string[];
  /** Globs of bucket names. */
  readonly buckets?: readonly string[];
  /** What keys begin with. */
  readonly prefixes?: readonly string[];
};
