/** What may befall a batch; batch-troubles.ts does it. */
export const TROUBLE_NAMES = [
  "kills",
  "redis",
  "storms",
  "resets",
  "errors",
  "stalls",
  "overwrites",
  "duplicates",
  "pauses",
  "late worker",
  "all dead",
  "cancel",
] as const;
export type TroubleName = (typeof TROUBLE_NAMES)[number];

/** When an object of the source is overwritten by somebody else. */
export type Moment = "any time" | "before the copy" | "after the copy" | "before the delete" | "after the delete";

/** One run of the batch campaign: what is moved, through which troubles. */
export type BatchRun = {
  readonly kind: string;
  readonly seed: number;
  readonly objects: number;
  /** Of these, so many above the multipart threshold. */
  readonly large: number;
  readonly troubles: readonly TroubleName[];
  /** Worker processes at the start. */
  readonly workers: number;
  /** Added to every answer of the store, in ms: with chunks and lanes limited it makes the run long enough for its troubles. */
  readonly latencyMs: number;
  readonly versioned: boolean;
  /** Whether the store enforces conditions. */
  readonly enforcing: boolean;
  /** Within one store by CopyObject, or across profiles by GET and PUT. */
  readonly route: "copy" | "stream";
  readonly onConflict: "overwrite" | "skip" | "fail";
  readonly moments: readonly Moment[];
};
