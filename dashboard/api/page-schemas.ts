import { z } from "zod";

const At = z.iso.datetime().optional();

export const ScheduleSchema = z
  .object({
    id: z.string().describe("Id of the schedule"),
    queue: z.string().describe("The queue it adds to: an activity, or batch-chunk"),
    kind: z.enum(["jobs", "batches"]).describe("What it makes"),
    every: z.number().optional().describe("Milliseconds between two runs"),
    cron: z.string().optional().describe("When it runs, as a cron expression"),
    timezone: z.string().optional().describe("The time zone of that"),
    next: At.describe("The next run; missing where it is paused"),
    missedSince: At.describe("Since when a run is due that nobody began"),
    paused: z
      .object({ by: z.string().describe("Who paused it"), at: z.string().describe("When") })
      .optional()
      .describe("It rests"),
    last: z
      .object({
        at: z.string().describe("When it ended, or began"),
        path: z.string().describe("Its page, below the dashboard's own address"),
        state: z.string().describe("How it stands"),
        code: z.string().optional().describe("What it failed with"),
      })
      .optional()
      .describe("The last run"),
    failures: z.int().describe("Runs in a row that failed"),
    failingSince: At.describe("When the first of them did"),
    skipped: z.int().describe("Times that a batch was left out, because the one before was still at work"),
    asks: z.unknown().describe("What each run asks for; secrets are taken out"),
  })
  .meta({ id: "Schedule", description: "What is asked for again and again" });

export const ProfileSchema = z
  .object({
    name: z.string().describe("Its name, as jobs give it"),
    provider: z.string().optional().describe("Where its credentials come from"),
    region: z.string().describe("Its region"),
    endpoint: z.string().optional().describe("Its store; missing for AWS"),
    pathStyle: z.boolean().describe("Whether buckets are part of the path"),
    conditionalDelete: z.boolean().describe("Whether the store is believed to honour conditions on deletes"),
    conditionalCopy: z.boolean().describe("Whether the store is believed to honour conditions on copies"),
    policy: z
      .array(
        z.object({
          activities: z.array(z.string()).describe("What may be done"),
          buckets: z.array(z.string()).describe("In which buckets"),
          prefixes: z.array(z.string()).optional().describe("On which keys; missing for all"),
        }),
      )
      .optional()
      .describe("What it may be used for; missing where that is everything"),
    at: z.string().describe("When a worker told so"),
    provedAt: At.describe("When its credentials were last proven"),
    expiresAt: At.describe("Until when those hold"),
    refusedSince: At.describe("Since when the store refuses it"),
    refusedCode: z.string().optional().describe("With which code"),
    throttledAt: At.describe("When the store asked to slow down last"),
    throttledCode: z.string().optional().describe("With which code"),
  })
  .meta({ id: "Profile", description: "A connection that workers have, and how it stands" });

export const AboutSchema = z
  .object({
    version: z.string().describe("Version of Bucketline"),
    node: z.string().describe("Version of Node.js"),
    bullBoard: z.boolean().describe("Whether bull-board is served below /queues"),
    environment: z.string().optional().describe("What is run here, such as production"),
    prefix: z.string().describe("What the keys in Redis begin with"),
    redis: z.string().describe("Where Redis is, without secrets"),
    documents: z.string().describe("Where documents are held"),
    basePath: z.string().describe("Where the dashboard is mounted; empty at the root of a host"),
    readOnly: z.boolean().describe("Whether nobody may change anything"),
    sessionHours: z.number().describe("How long a session lasts"),
  })
  .meta({ id: "About", description: "What this dashboard is, and what it looks at" });

export const HeldDocumentSchema = z
  .object({
    id: z.string().describe("Id of the document"),
    name: z.string().describe("Its name, for people"),
    size: z.number().describe("Bytes"),
    contentType: z.string().describe("Its media type"),
    expiresAt: z.string().describe("When it goes"),
    deleteAfterDownload: z.boolean().describe("Whether it goes once it was read"),
    origin: z.string().optional().describe("Page of the job or batch that it is of, where its name tells"),
  })
  .meta({ id: "HeldDocument", description: "A document, without its content" });
