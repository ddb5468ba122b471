import { createHash } from "node:crypto";
import { ActivityError } from "../../model/activity-error.ts";
import { canonicalJson } from "../../model/canonical-json.ts";
import { type BatchSpec, takesAll } from "../spec/request.ts";
import type { NewBatch } from "./begin.ts";
import type { BatchStore } from "./store.ts";

/** How a batch is kept: under a given id, which makes a second start with the same id find the first. */
export type CreateRequest = { readonly id: string; readonly spec: BatchSpec; readonly retryOf?: string };

/**
 * Writes the record of a batch, once for each id.
 *
 * @throws ActivityError `IdempotencyConflict` where the id was used for another request
 */
export async function createBatch(store: BatchStore, request: CreateRequest): Promise<void> {
  const batch = newBatch(request);
  const existing = await store.create(batch);
  if (existing !== undefined && existing !== batch.specHash)
    throw new ActivityError(
      "IdempotencyConflict",
      `batch ${batch.id} was started with another request under this idempotency key`,
    );
}

/** What is kept of a request. */
export function newBatch({ id, spec, retryOf }: CreateRequest): NewBatch {
  const specHash = createHash("sha256").update(canonicalJson(spec)).digest("hex");
  const { source } = spec;
  const total = "items" in source && takesAll(spec) ? { total: source.items.length } : {};
  const items = "items" in source ? { items: JSON.stringify(source.items), ...total } : {};
  // The record is read often, so items are kept beside it.
  const kept: BatchSpec = "items" in source ? { ...spec, source: { items: [] } } : spec;
  return { id, spec: kept, specHash, ...items, ...(retryOf !== undefined && { retryOf }) };
}
