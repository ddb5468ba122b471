import { z } from "zod";
import { VERB_NAMES } from "../../../batches/operations.ts";
import { BATCH_STATES } from "../../../batches/state/status.ts";
import { ROW_STATUSES } from "../../../batches/report/row.ts";
import { JobErrorSchema } from "../job-schemas.ts";

export const BatchStateSchema = z
  .enum(BATCH_STATES)
  .meta({ id: "BatchState", description: "planned waits for confirm; cancelled, failed and completed are final" });
export const RowStatusSchema = z.enum(ROW_STATUSES).meta({ id: "RowStatus", description: "What became of an object" });

const count = z.number().nonnegative();
const At = z.iso.datetime().optional();

export const VerbSchema = z.object({
  name: z.enum(VERB_NAMES).describe("What a batch asks for as its `operation`"),
  title: z.string().describe("Its name for people"),
  hint: z.string().describe("What it does, in a few words"),
  sources: z.enum(["kept", "deleted"]).describe("What becomes of the objects that a batch names"),
  destination: z.boolean().describe("Whether it takes a destination"),
});
const HoldSchema = z
  .object({
    code: z
      .enum(["paused", "no-worker", "queue-paused", "throttled", "trouble", "waiting", "limited"])
      .describe("What holds it up"),
    message: z.string().describe("The same in words"),
    since: At.describe("Since when, where that is known"),
  })
  .meta({ id: "Hold", description: "A reason why a batch does not go faster" });

export const BatchSchema = z
  .object({
    id: z.string().describe("Id of the batch"),
    state: BatchStateSchema,
    operation: z.enum(VERB_NAMES).describe("What it does"),
    sources: VerbSchema.shape.sources,
    spec: z.record(z.string(), z.unknown()).describe("The request, with its defaults; secrets are taken out"),
    priority: z.number().describe("1 goes first"),
    createdAt: z.string().describe("When it was asked for"),
    startedAt: At.describe("When it began"),
    endedAt: At.describe("When it ended"),
    pausedAt: At.describe("Since when it is paused"),
    firstFailureAt: At.describe("When the first failed object was counted"),
    lastFailureAt: At.describe("When the newest failed object was counted"),
    listed: count.describe("Objects found and taken on so far"),
    listedBytes: count.describe("Bytes of those"),
    filtered: count.describe("Objects that did not match the filter; not part of `listed`"),
    succeeded: count.describe("Objects done"),
    failed: count.describe("Objects that failed"),
    skipped: count.describe("Objects left as they are"),
    unattempted: count.describe("Objects that a cancelled or failed batch did not get to"),
    bytes: count.describe("Bytes of the objects that succeeded"),
    total: count.optional().describe("All objects, where that is known"),
    errors: z.record(z.string(), z.number()).describe("Failed objects by error code"),
    requests: z
      .object({
        list: count.describe("Listings"),
        head: count.describe("Looks at single objects, their tags, and buckets"),
        copy: count.describe("Copies, parts of them, and what is read and written where the bytes pass the worker"),
        delete: count.describe("Deletes, single or bulk"),
      })
      .describe("Requests sent to the store so far, repeats included"),
    capped: z.enum(["maxObjects", "maxBytes"]).optional().describe("Which cap ended it"),
    note: z.string().optional().describe("What else there is to say"),
    error: JobErrorSchema.optional().describe("Why it failed"),
    trouble: JobErrorSchema.extend({ at: z.string().describe("When it was seen last") })
      .optional()
      .describe("What holds it up just now; it goes away when work goes on"),
    plan: z
      .object({
        objects: count.describe("Objects that match"),
        bytes: count.describe("Bytes of those"),
        collisions: count.describe("Objects whose destination exists already"),
        over5GiB: count.describe("Objects above 5 GiB, which are copied in parts"),
        archived: count.describe("Objects that must be restored before they can be read"),
        refused: count.describe("Objects that cannot be worked on"),
        requests: count.describe("Requests that the run will make, as far as the listing tells"),
        expiresAt: z.string().describe("Until when it can be confirmed"),
      })
      .optional()
      .describe("What a dry run found out"),
    retryOf: z.string().optional().describe("The batch whose failed objects this one repeats"),
    chain: z
      .object({
        openChunks: count.describe("Chunks that were listed and are not finished"),
        listing: count.describe("Chains that go on listing"),
        feeding: z.boolean().describe("The manifest is still being read"),
      })
      .optional()
      .describe("How its chains stand: chunks listed and not finished, chains that go on listing"),
    holds: z.array(HoldSchema).describe("Why it does not go faster, the worst first; empty where nothing holds it up"),
    objectsPerSecond: count.describe("Over the last ten seconds"),
    bytesPerSecond: count.describe("Over the last ten seconds"),
    etaSeconds: count.optional().describe("Seconds to go, where that is known"),
  })
  .meta({ id: "Batch", description: "A batch: state, counts, speed, errors" });

export const ReportRowSchema = z
  .object({
    bucket: z.string().describe("Bucket of the source"),
    key: z.string().describe("Key of the source; empty where a line of the manifest could not be read"),
    versionId: z.string().optional().describe("Version of the source"),
    status: RowStatusSchema.describe("What became of it"),
    code: z.string().optional().describe("The store's error code or ours"),
    httpStatus: z.number().optional().describe("Status of the store's answer"),
    message: z.string().optional().describe("What happened"),
    destinationBucket: z.string().optional().describe("Bucket of the copy"),
    destinationKey: z.string().optional().describe("Key of the copy"),
    bytes: z.number().optional().describe("Size of the object"),
    etag: z.string().optional().describe("ETag of the copy, or of a delete the source's"),
    verified: z.enum(["etag", "checksum", "size"]).optional().describe("What proved the copy"),
    guarantee: z
      .literal("best-effort")
      .optional()
      .describe(
        "The store does not enforce conditions: a HEAD just before the delete said that the source was unchanged",
      ),
  })
  .meta({ id: "ReportRow", description: "What became of one object" });

export const BucketSchema = z
  .object({
    at: z.string().describe("When the step began"),
    objects: count.describe("Objects done in it"),
    bytes: count.describe("Bytes of those"),
  })
  .meta({ id: "BatchStep", description: "What a batch got done in five seconds" });
