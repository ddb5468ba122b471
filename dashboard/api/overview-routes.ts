import { z } from "zod";
import type { Identify } from "../access/identity.ts";
import { BatchId } from "../../batches/state/keys.ts";
import { BatchSchema } from "./batch-schemas.ts";
import { Activity } from "./job-schemas.ts";
import { HttpProblem } from "../http/problem.ts";
import { type ApiRoute, defineRoute } from "../http/route.ts";
import type { BatchViews } from "../watch/batch-views.ts";
import type { EventStream, Topic } from "../watch/event-stream.ts";
import type { createOverview } from "../watch/overview.ts";
import { RANGES, type Range, type Throughput } from "../watch/throughput.ts";

export type OverviewDeps = {
  readonly overview: ReturnType<typeof createOverview>;
  readonly throughput: Throughput;
  readonly views: BatchViews;
  readonly events: EventStream;
  readonly identify: Identify;
};

// Never empty.
const ranges = Object.keys(RANGES) as [Range, ...Range[]];
const Span = z.object({
  range: z.enum(ranges).default("15m"),
  activity: Activity.optional(),
});

const count = z.int().nonnegative();
const ms = z.number().nonnegative().nullable();
const Warning = z.object({
  code: z.string(),
  severity: z.enum(["warning", "danger"]),
  message: z.string(),
  remedy: z.string(),
});
const OverviewSchema = z.object({
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
    warnings: z.array(Warning),
  }),
  quarantined: count,
  batches: z.object({ batches: z.array(BatchSchema), total: count, kept: count }),
  warnings: z.array(Warning),
});
const BucketSchema = z.object({
  at: z.int(),
  completed: z.int().nullable(),
  failed: z.int().nullable(),
  runP50: ms,
  runP95: ms,
  waitP95: ms,
});

export function overviewRoutes({ overview, throughput, views, events, identify }: OverviewDeps): readonly ApiRoute[] {
  const tag = "overview";
  const look = defineRoute({
    method: "GET",
    path: "/api/overview",
    access: "view",
    tag,
    summary: "Queues, workers and Redis at a glance",
    answers: { 200: { description: "How things are, at most a second old", schema: OverviewSchema } },
    handler: () => overview.read(),
  });
  const series = defineRoute({
    method: "GET",
    path: "/api/throughput",
    access: "view",
    tag,
    summary: "Jobs completed and failed over time, and how long they took",
    description:
      "Counted from the finished jobs that Redis keeps. Counts are null where Redis does not know any more. Latencies are of a sample.",
    query: Span,
    answers: {
      200: {
        description: "Buckets, oldest first; the last one is still filling",
        schema: z.object({ step: z.int(), buckets: z.array(BucketSchema) }),
      },
    },
    handler: async ({ query: { range, activity } }) => ({
      step: RANGES[range].step,
      buckets: await throughput.read(range, activity),
    }),
  });
  const live = defineRoute({
    method: "GET",
    path: "/api/events",
    access: "view",
    tag,
    summary: "The overview, live, as server-sent events",
    description:
      "Once a second: `overview` as in /api/overview, and `throughput` with the newest buckets of 15 minutes. With `batch`, also `batch`: that batch and its newest steps. `trouble`: Redis does not answer. `end`: sign in again.",
    query: z.object({ activity: Activity.optional(), batch: BatchId.optional() }),
    answers: { 200: { description: "Events", type: "text/event-stream" } },
    plainHead: true,
    handler: async ({ request, query: { activity, batch } }, reply) => {
      if (!events.hasRoom()) throw new HttpProblem(503, "TooManyStreams", "too many event streams are open");
      const newest: Topic = {
        event: "throughput",
        read: async () => ({ step: RANGES["15m"].step, buckets: (await throughput.read("15m", activity)).slice(-3) }),
      };
      events.add(
        request,
        reply,
        [
          { event: "overview", read: () => overview.read() },
          newest,
          ...(batch === undefined ? [] : [batchTopic(views, batch)]),
        ],
        async () => (await identify(request)) !== undefined,
      );
      return reply;
    },
  });
  return [look, series, live];
}

function batchTopic(views: BatchViews, id: string): Topic {
  return {
    event: "batch",
    read: async () => {
      const batch = await views.one(id);
      return batch && { batch, buckets: (await views.throughput(id)).slice(-3) };
    },
  };
}
