import { z } from "zod";
import { GROUP_ACTIONS, PROBLEM_KINDS } from "../problems/interface.ts";
import { Activity, JobRowSchema } from "./job-schemas.ts";
import { JOB_STATES } from "../job-views/job-fields.ts";

const At = z.iso.datetime().optional();
const PlaceSchema = z
  .object({
    path: z.string().describe("Address below the dashboard's own"),
    text: z.string().describe("What is there"),
  })
  .meta({ id: "Place", description: "A page of the dashboard" });
const NoteSchema = z
  .object({
    by: z.string().describe("Who said it"),
    at: z.string().describe("When"),
    until: At.describe("Until when a mute holds"),
    reason: z.string().optional().describe("Why"),
  })
  .meta({ id: "ProblemNote", description: "What somebody said of a problem" });

export const ProblemSchema = z
  .object({
    id: z.string().describe("Stays the same while the problem lasts"),
    kind: z.enum(PROBLEM_KINDS).describe("What it is made of"),
    severity: z.enum(["warning", "danger"]).describe("How bad it is"),
    title: z.string().describe("What is wrong, in a line"),
    code: z.string().optional().describe("The error code that they have in common"),
    activity: z.string().optional().describe("What they do"),
    bucket: z.string().optional().describe("The bucket that they have in common"),
    profile: z.string().optional().describe("The profile that they have in common"),
    count: z.number().describe("How often it happened, as far as it is kept"),
    open: z.number().optional().describe("How many are still as they failed"),
    firstSeen: At.describe("When it happened first"),
    lastSeen: At.describe("When it happened last"),
    trend: z.array(z.number()).optional().describe("Failures in each of the last 24 hours, oldest first"),
    message: z.string().optional().describe("What one of them said"),
    example: PlaceSchema.optional().describe("The newest of them"),
    related: z.array(PlaceSchema).describe("What belongs to it"),
    meaning: z.string().optional().describe("What it means"),
    remedy: z.string().optional().describe("What to do"),
    actions: z.array(z.enum(GROUP_ACTIONS)).describe("What /api/bulk may do to all of it"),
    acknowledged: NoteSchema.optional().describe("Somebody looks after it"),
    muted: NoteSchema.optional().describe("Nobody wants to hear of it for a while"),
  })
  .meta({ id: "OpenProblem", description: "Something that needs somebody" });

export const ProblemId = z
  .string()
  .regex(/^[A-Za-z0-9._~-]{1,300}$/, { error: "expected the id of a problem" })
  .describe("Id of a problem");

/** Who may be looked for, wherever jobs are searched and acted upon together. */
export const JobFilterSchema = z
  .strictObject({
    text: z
      .string()
      .max(1024)
      .optional()
      .describe("Part of what was asked, such as of a key, or the beginning of an id"),
    activity: Activity.optional().describe("Only of this activity"),
    state: z.enum(JOB_STATES).optional().describe("Only in this state"),
    code: z.string().max(256).optional().describe("Only with this error code"),
    bucket: z.string().max(255).optional().describe("Only of this bucket"),
    profile: z.string().max(256).optional().describe("Only with this profile"),
    since: At.describe("Ended at that time or later"),
    until: At.describe("Ended at that time or before"),
  })
  .meta({ id: "JobFilter", description: "Jobs that are meant: all that is given must hold" });

export const BulkSchema = z
  .object({
    id: z.string().describe("Id of the action"),
    action: z.enum(GROUP_ACTIONS).describe("What is done"),
    title: z.string().describe("To what, in words"),
    by: z.string().describe("Who asked for it"),
    reason: z.string().optional().describe("Why"),
    startedAt: z.string().describe("When it began"),
    endedAt: At.describe("When it ended"),
    total: z.number().describe("How many there were when it began"),
    done: z.number().describe("How many it was done to"),
    refused: z.number().describe("How many could not be acted upon"),
    refusals: z
      .array(z.object({ id: z.string().describe("Which"), why: z.string().describe("Why not") }))
      .describe("The first of those"),
    state: z.enum(["running", "done", "stopped", "failed"]).describe("How it stands"),
  })
  .meta({ id: "Bulk", description: "An action on many things, how far it is, and what came of it" });

export const FoundJobSchema = JobRowSchema.extend({ activity: z.string().describe("Its activity") }).meta({
  id: "FoundJob",
  description: "A job that a search found",
});
