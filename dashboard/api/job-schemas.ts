import { z } from "zod";
import { type ActivityName, activityNames } from "../../jobs/contracts.ts";
import { queueNames } from "../watch/queue-counts.ts";

// Neither list is ever empty.
export const Activity = z.enum(activityNames as [ActivityName, ...ActivityName[]]);
export const QueueName = z.enum(queueNames as [string, ...string[]]);

/** BullMQ's own keys lie beside the jobs', but none of them is a job; ids of scheduled jobs have colons. */
export const JobId = z
  .string()
  .min(1)
  .max(512)
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  .regex(/^[^\u0000-\u001f\u007f]+$/, { error: "expected the id of a job" });

export const JobErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  retryable: z.boolean().optional(),
  httpStatus: z.number().optional(),
  requestId: z.string().optional(),
  field: z.string().optional(),
});

const At = z.iso.datetime().optional();

const jobFields = {
  id: z.string(),
  source: z.string().optional(),
  destination: z.string().optional(),
  malformed: z.boolean().optional(),
  error: JobErrorSchema.optional(),
  createdAt: At,
  startedAt: At,
  finishedAt: At,
  dueAt: At,
};

export const JobRowSchema = z.object({
  ...jobFields,
  state: z.enum(["waiting", "active", "delayed", "failed", "completed"]),
  attempts: z.number(),
});

export const JobSchema = z.object({
  ...jobFields,
  activity: z.string(),
  state: z.enum(["waiting", "active", "delayed", "completed", "failed", "cancelled"]),
  input: z.unknown().optional(),
  result: z.unknown().optional(),
  raw: z.string().optional(),
  cancelRequested: z.boolean().optional(),
  attempts: z.object({ made: z.number(), started: z.number(), max: z.number().optional() }),
  priority: z.number().optional(),
});

export const QuarantinedSchema = z.object({
  activity: z.string(),
  id: z.string(),
  reason: z.string(),
  at: z.string().optional(),
  raw: z.string(),
});

export const EnqueuedSchema = z.object({ id: z.string(), activity: z.string(), url: z.string() });

/** A number in a query or a header. */
export const wholeText = (min: number, max: number) =>
  z
    .string()
    .regex(/^-?\d{1,16}$/, { error: `expected a whole number from ${min} to ${max}` })
    .transform(Number)
    .pipe(z.int().min(min).max(max));

export const flagText = z
  .enum(["true", "false"], { error: "expected true or false" })
  .transform((text) => text === "true");
