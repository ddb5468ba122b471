import { z } from "zod";
import { BatchSpec } from "../../../batches/spec/request.ts";
import { batchWords } from "../../../producer/audit/recorded-batches.ts";
import type { Batches } from "../../../producer/batches.ts";
import { touchedByBatch } from "../../access/touched.ts";
import { type ApiRoute, defineRoute } from "../../http/route.ts";
import type { BatchView } from "../../watch/batch-views.ts";
import { type BatchRouteDeps, params, tag, touchesBatch, viewBatch } from "./named-in-path.ts";
import { BatchSchema } from "./schemas.ts";

const Headers = z.object({
  "idempotency-key": z
    .string()
    .min(1)
    .max(1024)
    .optional()
    .describe("The same key finds the batch that was started with it; with another request it is 409"),
});

/** A batch begins: from what somebody asks, or over what failed in another one. */
export function startingRoutes(deps: BatchRouteDeps): readonly ApiRoute[] {
  return [startRoute(deps), retryFailedRoute(deps)];
}

function startRoute({ batches, views }: BatchRouteDeps): ApiRoute {
  return defineRoute({
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
  });
}

function retryFailedRoute({ batches, views }: BatchRouteDeps): ApiRoute {
  return defineRoute({
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
    touches: touchesBatch(batches),
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
  });
}
