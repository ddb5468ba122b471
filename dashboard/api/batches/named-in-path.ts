import { z } from "zod";
import { BatchId } from "../../../batches/state/keys.ts";
import { ActivityError } from "../../../model/activity-error.ts";
import type { Batches } from "../../../producer/batches.ts";
import type { Touched } from "../../access/scope.ts";
import { touchedByBatch } from "../../access/touched.ts";
import type { BatchView, BatchViews } from "../../watch/batch-views.ts";

export type BatchRouteDeps = { readonly batches: Batches; readonly views: BatchViews };

export const tag = "batches";
/** Of every path that names a batch. */
export const params = z.object({ id: BatchId });

/** What the batch touches that a path names. Throws `BatchNotFound` where there is none. */
export function touchesBatch(batches: Batches) {
  return async ({ params: { id } }: { readonly params: { readonly id: string } }): Promise<readonly Touched[]> =>
    touchedByBatch((await batches.get(id).status()).spec);
}

/** Throws `BatchNotFound` where there is none. */
export async function viewBatch(views: BatchViews, id: string): Promise<BatchView> {
  const view = await views.one(id);
  if (view === undefined)
    throw new ActivityError("BatchNotFound", `no batch ${id}; ended ones are kept for their retention`);
  return view;
}
