import { type BatchStatus } from "../../batches/state/status.ts";
import type { BatchStore } from "../../batches/state/store.ts";
import { parseJson } from "../job-views/job-fields.ts";
import { profileOf } from "../../jobs/failures.ts";
import { isForeign, unlessForeign } from "../../redis/foreign.ts";
import type { JobFilter } from "./find-jobs.ts";

/** The newest batches are looked through. */
const LOOKED = 2000;
/** In place of what is no batch. */
const NONE: Row = ["", "", "", ""];

type Row = readonly [id: string, spec: string, state: string, endedAt: string];

/** Batches whose id, label, buckets, prefixes or keys hold a text, the newest first. */
export async function findBatches(
  store: BatchStore,
  filter: Omit<JobFilter, "activities" | "states"> & { readonly states?: readonly string[] | undefined },
  limit: number,
): Promise<BatchStatus[]> {
  const { text = "", code, bucket, profile, since, until, states } = filter;
  const page = await unlessForeign(store.page(until === undefined ? "+inf" : String(Date.parse(until)), LOOKED), []);
  const recent = since === undefined ? page : page.filter(({ createdAt }) => Number(createdAt) >= Date.parse(since));
  const pipeline = store.redis.pipeline();
  for (const { id } of recent) pipeline.hmget(store.keys.record(id), "id", "spec", "state", "endedAt");
  const rows = ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error && !isForeign(error)) throw error;
    return error ? NONE : (reply as Row); // HMGET's reply
  });
  const needle = JSON.stringify(text).slice(1, -1);
  const found = rows.filter(([id, spec, state]) => {
    if (!id || (states !== undefined && !states.includes(state))) return false;
    if (text !== "" && !id.startsWith(text) && !spec.includes(needle)) return false;
    if (bucket !== undefined && !spec.includes(`"bucket":${JSON.stringify(bucket)}`)) return false;
    return profile === undefined || profileOf(credentialsOf(spec)) === profile;
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

/** Of a request as it was written down; a foreign hand may have written another text. */
function credentialsOf(spec: string): unknown {
  const request = parseJson(spec);
  return typeof request === "object" && request !== null && "credentials" in request ? request.credentials : undefined;
}
