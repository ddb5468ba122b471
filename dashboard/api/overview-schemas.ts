import { z } from "zod";
import { BatchSchema } from "./batches/schemas.ts";

const count = z.int().nonnegative();
const ms = z.number().nonnegative().nullable();
export const WarningSchema = z
  .object({
    code: z.string().describe("Name of the warning"),
    severity: z.enum(["warning", "danger"]).describe("How bad it is"),
    message: z.string().describe("What is wrong"),
    remedy: z.string().describe("What to do"),
  })
  .meta({ id: "Warning", description: "Something that somebody should look at" });
export const OverviewSchema = z
  .object({
    at: z.iso.datetime().describe("When this was looked at"),
    version: z.string().describe("Version of Bucketline that the dashboard runs"),
    queues: z
      .array(
        z.object({
          name: z.string().describe("Name of the queue"),
          waiting: count.describe("Jobs that wait to be taken, delayed ones whose time has come too"),
          active: count.describe("Jobs that run"),
          delayed: count.describe("Jobs that wait for their time"),
          completed: count.describe("Jobs done that Redis still keeps"),
          failed: count.describe("Jobs failed that Redis still keeps"),
          paused: z.boolean().describe("Whether it is paused"),
          oldestWaitingMs: z.number().nonnegative().optional().describe("Milliseconds that the oldest job waits"),
          completedPerSecond: z.number().describe("Over the last seconds"),
          failedPerSecond: z.number().describe("Over the last seconds"),
        }),
      )
      .describe("Every queue"),
    workers: z
      .array(
        z.object({
          id: z.string().describe("Id of the process"),
          host: z.string().describe("Its host"),
          pid: z.number().describe("Its process id"),
          activities: z.array(z.string()).describe("What it takes"),
          concurrency: z.record(z.string(), z.number()).describe("Jobs of each activity that it runs at once"),
          memory: z.number().describe("Bytes of memory in use"),
          running: z.number().describe("Jobs that it runs now"),
          lessons: z.array(z.string()).describe("What it learned that stores lack, in sentences"),
          jobs: z.array(z.string()).describe("The first of them, as queue/id"),
          version: z.string().optional().describe("Version of Bucketline that it runs"),
          startedAt: z.string().optional().describe("When it started"),
          seenAt: z.string().optional().describe("When it was seen last"),
        }),
      )
      .describe("Workers that are alive"),
    redis: z
      .object({
        version: z.string().describe("Version of the server"),
        evictionPolicy: z.string().describe("What it does when it is full; must be noeviction"),
        persistence: z.enum(["aof", "rdb", "none", "unknown"]).describe("How it survives a restart"),
        usedMemory: z.number().describe("Bytes"),
        maxMemory: z.number().describe("Bytes; 0: no limit"),
        connectedClients: z.number().describe("Connections"),
        uptimeSeconds: z.number().describe("Seconds since it started"),
        warnings: z.array(WarningSchema).describe("What is wrong with Redis"),
      })
      .describe("The server"),
    quarantined: count.describe("Jobs that could not be read and were put aside"),
    problems: count.describe("How many are open to somebody, see /api/problems"),
    batches: z
      .object({
        batches: z
          .array(BatchSchema)
          .describe("Some that have not come to rest: those that stand still or have trouble first, then the newest"),
        total: count.describe("How many have not come to rest"),
        kept: count.describe("How many there are in all"),
      })
      .describe("Batches at a glance"),
    warnings: z.array(WarningSchema).describe("All that somebody should look at"),
  })
  .meta({ id: "Overview", description: "Queues, workers, Redis and batches at one moment" });
export const JobBucketSchema = z
  .object({
    at: z.int().describe("Milliseconds since 1970 when the bucket began"),
    completed: z.int().nullable().describe("Jobs that succeeded"),
    failed: z.int().nullable().describe("Jobs that failed"),
    runP50: ms.describe("Milliseconds that half of them ran at most"),
    runP95: ms.describe("Milliseconds that 95 of 100 ran at most"),
    waitP95: ms.describe("Milliseconds that 95 of 100 waited at most"),
  })
  .meta({ id: "JobStep", description: "What happened in a stretch of time" });
