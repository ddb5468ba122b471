import { type BatchStatus } from "../../batches/state/status.ts";
import type { BatchStore } from "../../batches/state/store.ts";
import { profileOf } from "../../jobs/failures.ts";
import type { JobFilter } from "./find-jobs.ts";

/** The newest batches are looked through. */
const LOOKED = 2000;

type Row = readonly [id: string, spec: string, state: string, endedAt: string];

/** Batches whose id, label, buckets, prefixes or keys hold a text, the newest first. */
export async function findBatches(
  store: BatchStore,
  filter: Omit<JobFilter, "activities" | "states"> & { readonly states?: readonly string[] | undefined },
  limit: number,
): Promise<BatchStatus[]> {
  const { text = "", code, bucket, profile, since, until, states } = filter;
  const page = await store.page(until === undefined ? "+inf" : String(Date.parse(until)), LOOKED);
  const recent = since === undefined ? page : page.filter(({ createdAt }) => Number(createdAt) >= Date.parse(since));
  const pipeline = store.redis.pipeline();
  for (const { id } of recent) pipeline.hmget(store.keys.record(id), "id", "spec", "state", "endedAt");
  const rows = ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply as Row; // HMGET's reply
  });
  const needle = JSON.stringify(text).slice(1, -1);
  const found = rows.filter(([id, spec, state]) => {
    if (!id || (states !== undefined && !states.includes(state))) return false;
    if (text !== "" && !id.startsWith(text) && !spec.includes(needle)) return false;
    if (bucket !== undefined && !spec.includes(`"bucket":${JSON.stringify(bucket)}`)) return false;
    return profile === undefined || profileOf((JSON.parse(spec) as { credentials?: unknown }).credentials) === profile; // written after it was parsed
  });
  // Codes lie beside the record: they are looked at for those that are left.
  const statuses: BatchStatus[] = [];
  for (const [id] of found) {
    if (statuses.length >= limit) break;
    const status = await store.status(id);
    if (status === undefined) continue;
    if (code === undefined || status.error?.code === code || status.errors[code] !== undefined) statuses.push(status);
  }
  return statuses;
}
