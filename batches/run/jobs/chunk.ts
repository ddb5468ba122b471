import { commitPage, findPage } from "../../listing/find-page.ts";
import { keepPage } from "../../listing/kept-page.ts";
import type { BatchSpec } from "../../spec/request.ts";
import type { ChunkRef, Delivery } from "../../state/chunk-store.ts";
import { claimRanges, releaseRanges, whileClaimed } from "../../state/claim-ranges.ts";
import { healBatch } from "../../state/heal.ts";
import { chunkJob, fairPriority } from "../../state/queue.ts";
import { createRequestCount, type RequestCount } from "../request-count.ts";
import { isPlanning } from "../work.ts";
import { failBatch } from "./failure.ts";
import { type Again, maxOpen, ROOM_MS, TAKEN_MS, type Terms, type Tools } from "./tools.ts";

type Job = Terms & { readonly spec: BatchSpec };

/** One delivery of a chunk: lists its page and commits it, unless that was done before, and works on it. */
export async function deliverChunk(tools: Tools, ref: ChunkRef, job: Job): Promise<Again> {
  const requests = createRequestCount();
  try {
    return await deliver(tools, ref, { ...job, requests });
  } finally {
    // What no checkpoint told of: a listing, a plan, or the end of a delivery that another one took over.
    await tools.store.countRequests(ref.batch, requests.take());
  }
}

type Counted = Job & { readonly requests: RequestCount };

async function deliver(tools: Tools, ref: ChunkRef, { spec, requests, ...terms }: Counted): Promise<Again> {
  const { deps, store, chunks } = tools;
  for (;;) {
    const begun = await chunks.begin(ref, maxOpen(spec));
    if (begun.what === "full") return { inMs: ROOM_MS };
    if (begun.what === "work") {
      if (terms.stalled) await store.noteCutOff(ref.batch);
      // Whoever had it before may have died between its commit and the next job.
      await keepPage(deps.documents, begun.delivery, { again: true, signal: terms.signal });
      await healBatch(store, deps.queue, ref.batch);
      return await workOn(tools, begun.delivery, { spec, requests, ...terms });
    }
    if (begun.what !== "list") return undefined;
    const source = await deps.s3For(spec.credentials, "list-objects", spec, requests.sent);
    const page = await findPage(
      { ref, spec, begun },
      { store, documents: deps.documents, source, signal: terms.signal },
    );
    const committed = await commitPage(chunks, { ref, spec, run: begun.run, page, work: true });
    if (committed.what === "adopted") continue;
    if (committed.what !== "committed") return undefined;
    const { delivery } = committed;
    if (delivery !== undefined && page.kept !== true)
      await keepPage(deps.documents, delivery, { signal: terms.signal });
    if (!committed.last)
      await deps.queue.add([
        chunkJob(ref.batch, { chain: ref.chain, n: ref.n + 1 }, fairPriority(committed.priority, false)),
      ]);
    return delivery === undefined ? undefined : await workOn(tools, delivery, { spec, requests, ...terms });
  }
}

async function workOn(tools: Tools, delivery: Delivery, job: Counted): Promise<Again> {
  const { store, chunks, workshop } = tools;
  const { batch } = delivery.ref;
  // What a cancelled batch still has to say needs nothing but looks.
  if (delivery.state === "running" && !isPlanning(delivery) && !(await claimRanges(store, batch, job.spec))) {
    await chunks.park(delivery);
    return { inMs: TAKEN_MS };
  }
  const fail = (error: unknown): Promise<void> => failBatch(tools, batch, error);
  const end = await whileClaimed(store, batch, (lost) =>
    workshop({ delivery, ...job, signal: AbortSignal.any([job.signal, lost]), fail }),
  );
  if (end.what === "finished") await releaseRanges(store, batch);
  return end.what === "yielded" ? { inMs: end.inMs, behind: fairPriority(end.priority, false) } : undefined;
}
