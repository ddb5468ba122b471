import { z } from "zod";
import type { Identify } from "../access/identity.ts";
import { BatchId } from "../../batches/state/keys.ts";
import { Activity } from "./job-schemas.ts";
import { JobBucketSchema, OverviewSchema } from "./overview-schemas.ts";
import { type ApiRoute, defineRoute } from "../http/route.ts";
import type { BatchViews } from "../watch/batch-views.ts";
import type { EventStream } from "../watch/event-stream.ts";
import type { Topic } from "../watch/event-text.ts";
import { RANGES, type Range, type Throughput } from "../watch/throughput.ts";

export type OverviewDeps = {
  readonly overview: { read(): Promise<unknown> };
  readonly throughput: Throughput;
  readonly views: BatchViews;
  readonly events: EventStream;
  readonly identify: Identify;
};

// Never empty.
const ranges = Object.keys(RANGES) as [Range, ...Range[]];
const Span = z.object({
  range: z.enum(ranges).default("15m").describe("How far back"),
  activity: Activity.optional().describe("Only of this activity"),
});

const tag = "overview";

/** How things are, how they went, and both as they change. */
export function overviewRoutes(deps: OverviewDeps): readonly ApiRoute[] {
  return [lookRoute(deps), seriesRoute(deps), liveRoute(deps)];
}

function lookRoute({ overview }: OverviewDeps): ApiRoute {
  return defineRoute({
    method: "GET",
    path: "/api/overview",
    access: "view",
    tag,
    summary: "Queues, workers and Redis at a glance",
    answers: { 200: { description: "How things are, at most a second old", schema: OverviewSchema } },
    handler: () => overview.read(),
  });
}

function seriesRoute({ throughput }: OverviewDeps): ApiRoute {
  return defineRoute({
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
        schema: z.object({
          step: z.int().describe("Seconds of a bucket"),
          buckets: z.array(JobBucketSchema).describe("Oldest first"),
        }),
      },
    },
    handler: async ({ query: { range, activity } }) => ({
      step: RANGES[range].step,
      buckets: await throughput.read(range, activity),
    }),
  });
}

function liveRoute({ overview, throughput, views, events, identify }: OverviewDeps): ApiRoute {
  return defineRoute({
    method: "GET",
    path: "/api/events",
    access: "view",
    tag,
    summary: "The overview, live, as server-sent events",
    description:
      "First `overview` as in /api/overview and `throughput` with the newest buckets of 15 minutes; then, once a second, `overview-changes` with the fields of the overview that changed, and `throughput` where it did. With `batch`, also `batch`: that batch and its newest steps. `tick`: nothing changed. `trouble`: Redis does not answer. `end`: sign in again. `replaced`: the same reader has opened too many others since, or its browser has no connection left for anything else; open it again after a few seconds.",
    query: z.object({
      activity: Activity.optional().describe("Throughput of this activity only"),
      batch: BatchId.optional().describe("Id of a batch to follow"),
    }),
    answers: { 200: { description: "Events", type: "text/event-stream" } },
    plainHead: true,
    handler: async ({ request, query: { activity, batch } }, reply) => {
      const newest: Topic = {
        event: "throughput",
        read: () => throughput.newest(activity ?? ""),
      };
      events.add(
        request,
        reply,
        [
          { event: "overview", read: () => overview.read(), parts: true },
          newest,
          ...(batch === undefined ? [] : [batchTopic(views, batch)]),
        ],
        async () => (await identify(request)) !== undefined,
      );
      return reply;
    },
  });
}

function batchTopic(views: BatchViews, id: string): Topic {
  return {
    event: "batch",
    read: () => views.live(id),
  };
}
