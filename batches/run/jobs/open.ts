import type { BatchItem } from "../../spec/fields.ts";
import type { BatchSpec } from "../../spec/request.ts";
import { feedManifest } from "../../listing/feed.ts";
import { keepsPages, openOnce } from "../../listing/kept-page.ts";
import { type Opening, openSource, refuseItemChains, surveySource } from "../../listing/open-source.ts";
import { claimRanges, releaseRanges } from "../../state/claim-ranges.ts";
import { healBatch } from "../../state/heal.ts";
import { createRequestCount, type RequestCount } from "../request-count.ts";
import { endsOf } from "../work.ts";
import { type Again, maxOpen, ROOM_MS, TAKEN_MS, type Tools } from "./tools.ts";

type Job = { readonly batch: string; readonly spec: BatchSpec; readonly signal: AbortSignal };

/** Looks at both ends of a batch, takes the places that it moves from and to, and shares its source out over chains. */
export async function openBatch(tools: Tools, job: Job): Promise<Again> {
  const requests = createRequestCount();
  try {
    return await open(tools, job, requests);
  } finally {
    await tools.store.countRequests(job.batch, requests.take());
  }
}

async function open({ deps, store }: Tools, { batch, spec, signal }: Job, requests: RequestCount): Promise<Again> {
  const ends = { spec, ...(await endsOf(spec, deps, requests.sent)), signal };
  if ((await store.ranges(batch)).length === 0) {
    const items = JSON.parse((await store.items(batch)) ?? "[]") as BatchItem[]; // written when it was created, after parsing
    refuseItemChains(ends, items);
    const { ranges, taken } = await surveySource(ends, items, deps.documents);
    await store.note(batch, { ranges: JSON.stringify(ranges), taken: JSON.stringify(taken) });
  }
  // Before anything is listed: what the others move is not there yet, or will be gone.
  if (!spec.dryRun && !(await claimRanges(store, batch, spec))) return { inMs: TAKEN_MS };
  const look = (): Promise<Opening> => openSource(ends, deps);
  const kept = { batch, nonce: keepsPages(spec) ? await store.nonce(batch) : "", signal };
  await store.open(batch, keepsPages(spec) ? await openOnce(deps.documents, kept, look) : await look());
  await healBatch(store, deps.queue, batch);
  await releaseRanges(store, batch);
  return undefined;
}

/** Cuts a manifest into chunks, as far as there is room. */
export async function feedBatch({ deps, store, chunks }: Tools, { batch, spec, signal }: Job): Promise<Again> {
  if (!("manifest" in spec.source)) return undefined;
  const { next } = await store.chain(batch, 0);
  const end = await feedManifest(
    { batch, spec, source: spec.source, next, taken: await store.taken(batch), maxOpen: maxOpen(spec), signal },
    { ...deps, chunks },
  );
  return end === "full" ? { inMs: ROOM_MS } : undefined;
}
