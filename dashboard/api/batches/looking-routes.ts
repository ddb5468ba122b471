import { z } from "zod";
import { VERB_NAMES, verbOf } from "../../../batches/operations.ts";
import type { Scope } from "../../access/rights.ts";
import { isInScope } from "../../access/scope.ts";
import { touchedByBatch } from "../../access/touched.ts";
import { type ApiRoute, defineRoute } from "../../http/route.ts";
import { redact } from "../../redact.ts";
import { wholeText } from "../job-schemas.ts";
import { type BatchRouteDeps, params, tag, touchesBatch, viewBatch } from "./named-in-path.ts";
import { BatchSchema, BatchStateSchema, BucketSchema, ReportRowSchema, VerbSchema } from "./schemas.ts";

/** What a batch can do, the batches that there are, and how each of them goes. */
export function lookingRoutes(deps: BatchRouteDeps): readonly ApiRoute[] {
  return [operationsRoute(), listRoute(deps), ...oneBatchRoutes(deps)];
}

function operationsRoute(): ApiRoute {
  return defineRoute({
    method: "GET",
    path: "/api/operations",
    access: "view",
    tag,
    summary: "What a batch can do",
    touches: () => [],
    answers: {
      200: {
        description: "Every operation",
        schema: z.object({ operations: z.array(VerbSchema).describe("All there are") }),
      },
    },
    handler: () =>
      Promise.resolve({
        operations: VERB_NAMES.map((name) => {
          const { title, hint, source, destination } = verbOf({ operation: name });
          return { name, title, hint, sources: source.ends, destination: destination !== undefined };
        }),
      }),
  });
}

function listRoute({ views }: BatchRouteDeps): ApiRoute {
  return defineRoute({
    method: "GET",
    path: "/api/batches",
    access: "view",
    tag,
    summary: "Batches, newest first",
    query: z.object({
      state: BatchStateSchema.optional().describe("Only batches in this state"),
      limit: wholeText(1, 100).default(25).describe("At most so many"),
      cursor: z
        .string()
        .regex(/^\d{1,20}\.[a-z0-9]{1,64}$/, { error: "expected `next` of a page" })
        .optional()
        .describe("`next` of the page before"),
    }),
    touches: () => [],
    answers: {
      200: {
        description: "A page; `next` is the cursor of the next one. For a token with a scope, what lies within it",
        schema: z.object({
          batches: z.array(BatchSchema).describe("The page"),
          next: z.string().optional().describe("Cursor of the next page; absent: this is the last"),
        }),
      },
    },
    handler: async ({ request, query }) => {
      const page = await views.list(query);
      const scope = request.identity?.scope;
      if (scope === undefined) return page;
      return { ...page, batches: page.batches.filter(({ spec }) => isBatchInScope(scope, spec)) };
    },
  });
}

function isBatchInScope(scope: Scope, spec: unknown): boolean {
  return touchedByBatch(spec).every((touched) => isInScope(scope, touched));
}

function oneBatchRoutes({ batches, views }: BatchRouteDeps): readonly ApiRoute[] {
  const touches = touchesBatch(batches);
  return [
    defineRoute({
      method: "GET",
      path: "/api/batches/:id",
      access: "view",
      tag,
      summary: "A batch: state, counts, speed, errors",
      params,
      touches,
      answers: { 200: { description: "The batch", schema: BatchSchema } },
      handler: ({ params: { id } }) => viewBatch(views, id),
    }),
    defineRoute({
      method: "GET",
      path: "/api/batches/:id/failures",
      access: "view",
      tag,
      summary: "The newest failures of a batch",
      description: "At most 100, newest first; the report has all of them.",
      params,
      answers: {
        200: { description: "Rows", schema: z.object({ rows: z.array(ReportRowSchema).describe("The newest first") }) },
      },
      touches,
      handler: async ({ params: { id } }) => {
        await viewBatch(views, id);
        return { rows: redact(await batches.get(id).recentFailures()) };
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/batches/:id/throughput",
      access: "view",
      tag,
      summary: "What a batch got done over the last hour",
      description: "In steps of five seconds; steps without progress are left out.",
      params,
      touches,
      answers: {
        200: {
          description: "Steps, oldest first",
          schema: z.object({
            step: z.int().describe("Seconds"),
            buckets: z.array(BucketSchema).describe("Oldest first"),
          }),
        },
      },
      handler: async ({ params: { id } }) => {
        await viewBatch(views, id);
        return { step: 5, buckets: await views.throughput(id) };
      },
    }),
  ];
}
