import { z } from "zod";
import { BatchSchema } from "./batch-schemas.ts";

const count = z.int().nonnegative();
const ms = z.number().nonnegative().nullable();
export const WarningSchema = z.object({
  code: z.string(),
  severity: z.enum(["warning", "danger"]),
  message: z.string(),
  remedy: z.string(),
});
export const OverviewSchema = z.object({
  at: z.iso.datetime(),
  queues: z.array(
    z.object({
      name: z.string(),
      waiting: count,
      active: count,
      delayed: count,
      completed: count,
      failed: count,
      paused: z.boolean(),
      oldestWaitingMs: z.number().nonnegative().optional(),
      completedPerSecond: z.number(),
      failedPerSecond: z.number(),
    }),
  ),
  workers: z.array(
    z.object({
      id: z.string(),
      host: z.string(),
      pid: z.number(),
      activities: z.array(z.string()),
      concurrency: z.record(z.string(), z.number()),
      memory: z.number(),
      running: z.number(),
      startedAt: z.string().optional(),
      seenAt: z.string().optional(),
    }),
  ),
  redis: z.object({
    version: z.string(),
    evictionPolicy: z.string(),
    persistence: z.enum(["aof", "rdb", "none", "unknown"]),
    usedMemory: z.number(),
    maxMemory: z.number(),
    connectedClients: z.number(),
    uptimeSeconds: z.number(),
    warnings: z.array(WarningSchema),
  }),
  quarantined: count,
  batches: z.object({ batches: z.array(BatchSchema), total: count, kept: count }),
  warnings: z.array(WarningSchema),
});
export const JobBucketSchema = z.object({
  at: z.int(),
  completed: z.int().nullable(),
  failed: z.int().nullable(),
  runP50: ms,
  runP95: ms,
  waitP95: ms,
});
