import { z } from "zod";
import { BatchId } from "../../../batches/state/keys.ts";
import { VERB_NAMES, verbOf } from "../../../batches/operations.ts";
import { MAX_PRIORITY } from "../../../batches/spec/fields.ts";
import { BatchSpec } from "../../../batches/spec/request.ts";
import { ActivityError } from "../../../model/activity-error.ts";
import type { BatchHandle, Batches } from "../../../producer/batches.ts";
import type { Scope } from "../../access/rights.ts";
import { isInScope, type Touched } from "../../access/scope.ts";
import { touchedByBatch } from "../../access/touched.ts";
import { batchWords } from "../../../producer/audit/recorded-batches.ts";
import { type ApiRoute, defineRoute } from "../../http/route.ts";
import { redact } from "../../redact.ts";
import type { BatchView, BatchViews } from "../../watch/batch-views.ts";
import { BatchSchema, BatchStateSchema, BucketSchema, ReportRowSchema, VerbSchema } from "./schemas.ts";
import { wholeText } from "../job-schemas.ts";

export type BatchRouteDeps = { readonly batches: Batches; readonly views: BatchViews };

const tag = "batches";
const params = z.object({ id: BatchId });
const Rate = z.strictObject({
  maxObjectsPerSecond: z
    .number()
    .positive()
    .max(1_000_000)
    .nullable()
    .describe("At most so many objects a second, over all workers; null: no limit"),
});

export function batchRoutes(deps: BatchRouteDeps): readonly ApiRoute[] {
  return [...lookingRoutes(deps), ...startingRoutes(deps), ...steeringRoutes(deps)];
}

/** What the batch touches that a path names. Throws `BatchNotFound` where there is none. */
export function touchesBatch(batches: Batches) {
  return async ({ params: { id } }: { readonly params: { readonly id: string } }): Promise<readonly Touched[]> =>
    touchedByBatch((await batches.get(id).status()).spec);
}

function isBatchInScope(scope: Scope, spec: unknown): boolean {
  return touchedByBatch(spec).every((touched) => isInScope(scope, touched));
}

/** Throws `BatchNotFound` where there is none. */
export async function viewBatch(views: BatchViews, id: string): Promise<BatchView> {
  const view = await views.one(id);
  if (view === undefined)
    throw new ActivityError("BatchNotFound", `no batch ${id}; ended ones are kept for their retention`);
  return view;
}

function lookingRoutes({ batches, views }: BatchRouteDeps): readonly ApiRoute[] {
  const touches = touchesBatch(batches);
  return [
    defineRoute({
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
    }),
    defineRoute({
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
    }),
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

function startingRoutes({ batches, views }: BatchRouteDeps): readonly ApiRoute[] {
  const touches = touchesBatch(batches);
  const Headers = z.object({
    "idempotency-key": z
      .string()
      .min(1)
      .max(1024)
      .optional()
      .describe("The same key finds the batch that was started with it; with another request it is 409"),
  });
  return [
    defineRoute({
      method: "POST",
      path: "/api/batches",
      access: "operate",
      tag,
      summary: "Start a batch",
      description: "With `dryRun` it only lists and counts, and waits for `confirm`.",
      headers: Headers,
      body: { schema: BatchSpec.meta({ id: "BatchRequest", description: "What a batch does, and to which objects" }) },
      touches: ({ request }) => touchedByBatch(request.body),
      act: ({ request }, answer) => ({
        action: "batch.start",
        target: { kind: "batch", id: (answer as BatchView | undefined)?.id ?? "" },
        detail: batchWords(request.body as Parameters<Batches["start"]>[0]), // the route parsed it with BatchSpec
      }),
      answers: { 201: { description: "Started, or found under its idempotency key", schema: BatchSchema } },
      handler: async ({ request, headers }, reply) => {
        const idempotencyKey = headers["idempotency-key"];
        // As it came: defaults are part of what an idempotency key stands for, and are filled in by the producer.
        const spec = request.body as Parameters<Batches["start"]>[0]; // the route parsed it with BatchSpec
        const { id } = await batches.start(spec, idempotencyKey === undefined ? {} : { idempotencyKey });
        reply.code(201).header("location", `/api/batches/${id}`);
        return viewBatch(views, id);
      },
    }),
    defineRoute({
      method: "POST",
      path: "/api/batches/:id/retry-failed",
      access: "operate",
      tag,
      summary: "Start a batch over the objects that failed",
      params,
      body: {
        schema: z.strictObject({
          includeUnattempted: z.boolean().optional().describe("Also those that were not attempted"),
        }),
        optional: true,
      },
      touches,
      act: ({ params: { id } }, answer) => ({
        action: "batch.retry-failed",
        target: { kind: "batch", id },
        detail: `as batch ${(answer as BatchView | undefined)?.id ?? "unknown"}`,
      }),
      answers: { 201: { description: "The new batch", schema: BatchSchema } },
      handler: async ({ params: { id }, body }, reply) => {
        const includeUnattempted = body?.includeUnattempted ?? false;
        const started = await batches.get(id).retryFailed({ includeUnattempted });
        reply.code(201).header("location", `/api/batches/${started.id}`);
        return viewBatch(views, started.id);
      },
    }),
  ];
}

function steeringRoutes({ batches, views }: BatchRouteDeps): readonly ApiRoute[] {
  const touches = touchesBatch(batches);
  const steering = (verb: string, summary: string, run: (batch: BatchHandle) => Promise<unknown>) =>
    defineRoute({
      method: "POST",
      path: `/api/batches/:id/${verb}`,
      access: "operate",
      tag,
      summary,
      params,
      touches,
      answers: { 200: { description: "The batch as it is now", schema: BatchSchema } },
      handler: async ({ params: { id } }) => {
        await run(batches.get(id));
        return viewBatch(views, id);
      },
    });
  return [
    steering("pause", "Pause a batch: no more objects are started", (batch) => batch.pause()),
    steering("resume", "Go on with a paused batch", (batch) => batch.resume()),
    steering("cancel", "Cancel a batch: nothing is deleted after workers see it", (batch) => batch.cancel()),
    steering("confirm", "Start exactly what a dry run planned", (batch) => batch.confirm()),
    defineRoute({
      method: "POST",
      path: "/api/batches/:id/priority",
      access: "operate",
      tag,
      summary: "Let a batch go before or after others",
      params,
      touches,
      body: { schema: z.strictObject({ priority: z.int().min(1).max(MAX_PRIORITY).describe("1 goes first") }) },
      answers: { 200: { description: "The batch as it is now", schema: BatchSchema } },
      handler: async ({ params: { id }, body: { priority } }) => {
        await batches.get(id).setPriority(priority);
        return viewBatch(views, id);
      },
    }),
    defineRoute({
      method: "POST",
      path: "/api/batches/:id/rate",
      access: "operate",
      tag,
      summary: "Hold a batch to another rate, or to none",
      description: "Workers hear of it within half a second.",
      params,
      touches,
      body: { schema: Rate },
      act: ({ params: { id }, body: { maxObjectsPerSecond: rate } }) => ({
        action: "batch.rate",
        target: { kind: "batch", id },
        detail: rate === null ? "no limit" : `${rate}/s`,
      }),
      answers: { 200: { description: "The batch as it is now", schema: BatchSchema } },
      handler: async ({ params: { id }, body: { maxObjectsPerSecond: rate } }) => {
        await batches.get(id).setRate(rate ?? undefined);
        return viewBatch(views, id);
      },
    }),
  ];
}
