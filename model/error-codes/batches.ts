import type { ErrorCodeTable } from "./entry.ts";

/** Codes of batches and of the rows of their reports. */
export const BATCH_CODES = {
  BatchNotFound: {
    retryable: false,
    httpStatus: 404,
    meaning: "There is no batch of that id; ended ones are kept for their retention.",
    remedy: "Check the id; raise the retention where reports are read late.",
  },
  BatchNotEnded: {
    retryable: false,
    httpStatus: 409,
    meaning: "The batch is still at work; what was asked needs its end.",
    remedy: "Wait for its end, or cancel it first.",
  },
  BatchOverlap: {
    retryable: false,
    httpStatus: 409,
    meaning: "Source and destination overlap, so that the batch would work on its own copies.",
    remedy: "Choose a destination outside the source's prefix.",
  },
  BatchPaused: {
    retryable: true,
    meaning: "The batch was paused while the object was in work; it is taken up again when the batch goes on.",
    remedy: "Resume the batch.",
  },
  NotPlanned: {
    retryable: false,
    httpStatus: 409,
    meaning: "Only the plan of a dry run can be confirmed.",
    remedy: "Start a batch with `dryRun: true` and confirm that one.",
  },
  PlanExpired: {
    retryable: false,
    httpStatus: 409,
    meaning: "The plan is too old to be confirmed: too much may have changed since.",
    remedy: "Make a new plan.",
  },
  PlanLost: {
    retryable: false,
    meaning:
      "A page of the confirmed plan is not in the document store any more. Objects of that page were not touched.",
    remedy: "Make a new plan; keep the document store for at least the plan's retention.",
  },
  UnknownOperation: {
    retryable: true,
    meaning:
      "A batch asks for an operation that this version does not have, as after a downgrade or while workers are replaced.",
    remedy: "Nothing while newer workers run, which take it on; else start workers of the version that knows it.",
  },
  NothingToRetry: {
    retryable: false,
    httpStatus: 409,
    meaning: "The batch has no failed objects that could be tried again.",
    remedy: "Nothing.",
  },
  ReportIncomplete: {
    retryable: false,
    meaning: "A segment of the report is not in the document store any more.",
    remedy: "Read reports within their retention, and keep the document store between restarts.",
  },
  ListingUnordered: {
    retryable: false,
    meaning: "The store lists keys in no order, so that a listing cannot be gone on with.",
    remedy: "Use items or a manifest, or a bucket that lists in order.",
  },
  InvalidManifestLine: {
    retryable: false,
    meaning: "A line of the manifest cannot be read as an object. Nothing was done for it.",
    remedy: "Correct the line (docs/batches.md says what a manifest may hold) and start a batch with it.",
  },
  FailureThresholdExceeded: {
    retryable: false,
    meaning: "So many objects failed that the batch was stopped (`failureThreshold`).",
    remedy: "Look at the report's codes, remove the cause, and retry what failed and what was not attempted.",
  },
  DestinationTaken: {
    retryable: false,
    meaning: "Two objects of the batch would have the same destination; only one may have it.",
    remedy: "Choose destinations that keep the keys apart.",
  },
  UnsafeKey: {
    retryable: false,
    meaning:
      "The key, or the one it would get, cannot be sent safely (for example `..` segments, or beyond 1,024 bytes).",
    remedy: "Rename the object with another tool, or choose a shorter destination prefix.",
  },
  Archived: {
    retryable: false,
    meaning: "The object is in an archive and cannot be read until it is restored.",
    remedy: 'Restore it first, or say `archived: "skip"`.',
  },
  Identical: {
    retryable: false,
    meaning: "The destination already holds the same content, so it was skipped as asked (`skip-identical`).",
    remedy: "Nothing.",
  },
  Unattempted: {
    retryable: true,
    meaning: "The batch ended before this object's turn.",
    remedy: "Retry the batch with what was not attempted.",
  },
} as const satisfies ErrorCodeTable;
