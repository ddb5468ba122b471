import { z } from "zod";
import { type ActivityName, activityNames, contracts } from "../../jobs/contracts.ts";
import type { Contract } from "../../jobs/contract.ts";
import { queueNames } from "../watch/queue-counts.ts";

// Neither list is ever empty.
export const Activity = z.enum(activityNames as [ActivityName, ...ActivityName[]]).describe("Name of an activity");
export const QueueName = z
  .enum(queueNames as [string, ...string[]])
  .describe("Name of a queue: an activity's, or that of the chunks of batches");

/** BullMQ's own keys lie beside the jobs', but none of them is a job; ids of scheduled jobs have colons. */
export const JobId = z
  .string()
  .min(1)
  .max(512)
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  .regex(/^[^\u0000-\u001f\u007f]+$/, { error: "expected the id of a job" })
  .describe("Id of the job");

export const JobErrorSchema = z
  .object({
    code: z.string().describe("The store's error code or ours; docs/errors.md explains it"),
    message: z.string().describe("Names the thing, and what was expected"),
    retryable: z.boolean().optional().describe("Whether another attempt may succeed"),
    httpStatus: z.number().optional().describe("Status of the store's answer"),
    requestId: z.string().optional().describe("The store's id of the request"),
    field: z.string().optional().describe("The field of the input that is wrong"),
  })
  .meta({ id: "JobError", description: "Why a job failed" });

const At = z.iso.datetime().optional();

const jobFields = {
  id: JobId,
  source: z.string().optional().describe("What it reads, for people"),
  destination: z.string().optional().describe("What it writes, for people"),
  malformed: z.boolean().optional().describe("True where its data is not JSON; it is never run"),
  error: JobErrorSchema.optional(),
  createdAt: At.describe("When it was enqueued"),
  startedAt: At.describe("When its last attempt began"),
  finishedAt: At.describe("When it ended"),
  dueAt: At.describe("When a delayed job may start"),
};

export const JobRowSchema = z
  .object({
    ...jobFields,
    state: z.enum(["waiting", "active", "delayed", "failed", "completed"]).describe("Where it is"),
    attempts: z.number().describe("Attempts made"),
  })
  .meta({ id: "JobRow", description: "A job in a list" });

/** Any job, as the pages see it. */
export const JobSchema = z.object({
  ...jobFields,
  activity: z.string().describe("The queue that it is in"),
  state: z
    .enum(["waiting", "active", "delayed", "completed", "failed", "cancelled"])
    .describe("Where it is; the last three are final"),
  input: z.unknown().optional().describe("What was asked, as it was sent; secrets are taken out"),
  result: z.unknown().optional().describe("What came of it, once it is completed"),
  raw: z.string().optional().describe("The data of a malformed job, at most 4,096 characters"),
  cancelRequested: z.boolean().optional().describe("True once it was asked to stop"),
  progress: z
    .object({
      bytes: z.number().describe("Bytes that arrived; begins anew with another attempt"),
      of: z.number().describe("Bytes in all"),
    })
    .optional()
    .describe("How far a running job is with the bytes that it moves; told at most once a second"),
  attempts: z
    .object({
      made: z.number().describe("Attempts that ended"),
      started: z.number().describe("Attempts that began"),
      max: z.number().optional().describe("Attempts that it may have in all"),
    })
    .describe("How often it was tried"),
  priority: z.number().optional().describe("0 goes first"),
  tries: z
    .array(
      z.object({
        at: z.string().describe("When it began"),
        ms: z.number().describe("How long it took, in milliseconds"),
        code: z.string().describe("What it failed with"),
        worker: z.string().describe("Id of the worker"),
      }),
    )
    .describe("Attempts that failed, at most the last twenty"),
  worker: z.string().optional().describe("Id of the worker that has it, or had it last"),
  problem: z.string().optional().describe("What failed alike, see /api/problems/{id}"),
  schedule: z.string().optional().describe("The schedule that made it"),
  batch: z.string().optional().describe("The batch that a chunk belongs to"),
});

const pascal = (name: string): string =>
  name.replaceAll(/(?:^|-)([a-z])/g, (_all, letter: string) => letter.toUpperCase());
/** What the schema of an activity's jobs is called, and that of its input. */
export const jobName = (name: ActivityName): string => `${pascal(name)}Job`;
export const inputName = (name: ActivityName): string => `${pascal(name)}Input`;

const activityJobs = activityNames.map((name) => {
  const { result, secret, summary }: Contract = contracts[name];
  const stored = result.meta({ id: `${pascal(name)}Result`, description: `What came of a ${name} job` });
  // The secret of a result is told to operators who ask for it.
  const told =
    secret === undefined
      ? stored
      : z.union([stored, secret.meta({ id: `${pascal(name)}Secret`, description: "The secret itself" })]);
  return JobSchema.extend({
    activity: z.literal(name).describe("Its activity"),
    result: told.optional().describe("What came of it, once it is completed"),
  }).meta({ id: jobName(name), description: `${summary}: a job` });
});
const otherQueues = queueNames.filter((name) => !activityNames.includes(name as ActivityName));
const ChunkJob = JobSchema.extend({
  activity: z.enum(otherQueues as [string]).describe("The queue of chunks"), // there is one
}).meta({ id: "ChunkJob", description: "A chunk of a batch: an internal job" });

/** The same as clients see it: `activity` tells which form the result has. */
export const AnyJobSchema = z
  .discriminatedUnion("activity", [ChunkJob, ...activityJobs])
  .meta({ id: "Job", description: "A job: state, input, result, error" });

export const QuarantinedSchema = z
  .object({
    activity: z.string().describe("The queue that it was in"),
    id: z.string().describe("Id of the job"),
    reason: z.string().describe("What could not be read"),
    at: z.string().optional().describe("When it was put aside"),
    raw: z.string().describe("Its data, at most 4,096 characters"),
  })
  .meta({ id: "QuarantinedJob", description: "A job that could not be read and was put aside" });

export const JobNameSchema = z
  .object({ id: JobId, activity: z.string().describe("The queue that it is in") })
  .meta({ id: "JobName", description: "Names one job" });

export const EnqueuedSchema = z
  .object({
    id: JobId,
    activity: z.string().describe("Its activity"),
    url: z.string().describe("Path under which its state and result are told"),
  })
  .meta({ id: "EnqueuedJob", description: "A job that was accepted" });
export type Enqueued = z.infer<typeof EnqueuedSchema>;

/** A whole number in a query or a header: documented as the integer that it stands for. */
export const wholeText = (min: number, max: number) => {
  const error = `expected a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^-?\d{1,16}$/, { error })
    .transform(Number)
    .pipe(z.int({ error }).min(min, { error }).max(max, { error }))
    .meta({ type: "integer", minimum: min, maximum: max, pattern: undefined });
};

/** A boolean in a query, documented as such. */
export const flagText = z
  .enum(["true", "false"], { error: "expected true or false" })
  .transform((text) => text === "true")
  .meta({ type: "boolean", enum: undefined });
