import { z } from "zod";
import { MAX_PRIORITY } from "../../../batches/spec/fields.ts";
import type { BatchHandle } from "../../../producer/batches.ts";
import { type ApiRoute, defineRoute } from "../../http/route.ts";
import { lookingRoutes } from "./looking-routes.ts";
import { type BatchRouteDeps, params, tag, touchesBatch, viewBatch } from "./named-in-path.ts";
import { BatchSchema } from "./schemas.ts";
import { startingRoutes } from "./starting-routes.ts";

const Rate = z.strictObject({
  maxObjectsPerSecond: z
    .number()
    .positive()
    .max(1_000_000)
    .nullable()
    .describe("At most so many objects a second, over all workers; null: no limit"),
});

/** One operation over many objects: looked at, started and steered. */
export function batchRoutes(deps: BatchRouteDeps): readonly ApiRoute[] {
  return [...lookingRoutes(deps), ...startingRoutes(deps), ...steeringRoutes(deps)];
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
