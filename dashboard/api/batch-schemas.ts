import { z } from "zod";
import { BATCH_STATES } from "../../batches/state/status.ts";
import { ROW_STATUSES } from "../../batches/report/row.ts";
import { JobErrorSchema } from "./job-schemas.ts";

export const BatchStateSchema = z.enum(BATCH_STATES);
export const RowStatusSchema = z.enum(ROW_STATUSES);

const count = z.number().nonnegative();
const At = z.iso.datetime().optional();

export const BatchSchema = z.object({
  id: z.string(),
  state: BatchStateSchema,
  operation: z.enum(["copy", "move", "delete"]),
  spec: z.record(z.string(), z.unknown()).describe("The request, with its defaults; secrets are taken out"),
  priority: z.number(),
  createdAt: z.string(),
  startedAt: At,
  endedAt: At,
  listed: count.describe("Objects found and taken on so far"),
  listedBytes: count,
  filtered: count,
  succeeded: count,
  failed: count,
  skipped: count,
  unattempted: count,
  bytes: count,
  total: count.optional().describe("All objects, where that is known"),
  errors: z.record(z.string(), z.number()).describe("Failed objects by error code"),
  requests: z.object({ list: count, head: count, copy: count, delete: count }),
  capped: z.enum(["maxObjects", "maxBytes"]).optional(),
  note: z.string().optional(),
  error: JobErrorSchema.optional(),
  trouble: JobErrorSchema.extend({ at: z.string() }).optional(),
  plan: z
    .object({
      objects: count,
      bytes: count,
      collisions: count,
      over5GiB: count,
      archived: count,
      refused: count,
      requests: count,
      expiresAt: z.string(),
    })
    .optional(),
  retryOf: z.string().optional(),
  chain: z
    .object({ openChunks: count, listing: count, feeding: z.boolean() })
    .optional()
    .describe("How its chains stand: chunks listed and not finished, chains that go on listing"),
  objectsPerSecond: count,
  bytesPerSecond: count,
  etaSeconds: count.optional(),
});

export const ReportRowSchema = z.object({
  bucket: z.string(),
  key: z.string(),
  versionId: z.string().optional(),
  status: RowStatusSchema,
  code: z.string().optional(),
  httpStatus: z.number().optional(),
  message: z.string().optional(),
  destinationBucket: z.string().optional(),
  destinationKey: z.string().optional(),
  bytes: z.number().optional(),
  etag: z.string().optional(),
  verified: z.enum(["etag", "checksum", "size"]).optional(),
  guarantee: z.literal("best-effort").optional(),
});

export const BucketSchema = z.object({ at: z.string(), objects: count, bytes: count });
