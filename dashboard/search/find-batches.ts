import type { BatchStore } from "../../batches/state/store.ts";
import { unlessForeign } from "../../redis/foreign.ts";
import { pickBatches } from "../watch/pick-batches.ts";
import type { JobFilter } from "./filter.ts";
import { needlesOf } from "./find-jobs.ts";

/** The newest batches are looked through. */
const LOOKED = 2000;

/** Batches whose id, label, buckets, prefixes or keys hold a text, the newest first. */
export async function findBatches(
  store: BatchStore,
  filter: Omit<JobFilter, "activities" | "states"> & { readonly states?: readonly string[] | undefined },
  limit: number,
): Promise<readonly string[]> {
  const { text = "", code, bucket, profile, since, until, states } = filter;
  const picking = pickBatches(
    store,
    {
      states,
      needles: text === "" ? [] : needlesOf(text),
      code,
      bucket,
      profile,
      since: since === undefined ? undefined : Date.parse(since),
    },
    { limit, most: LOOKED, ...(until !== undefined && { from: { before: String(Date.parse(until)), after: "" } }) },
  );
  return (await unlessForeign(picking, { ids: [], retried: new Set<string>() })).ids;
}
