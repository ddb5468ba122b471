import { DelayedError, type Job } from "bullmq";
import { createChunkStore } from "./state/chunk-store.ts";
import type { BatchJobData } from "./state/queue.ts";
import { createBatchStore } from "./state/store.ts";
import { createControls } from "./run/control.ts";
import { deliverChunk } from "./run/jobs/chunk.ts";
import { afterFailure, createTries } from "./run/jobs/failure.ts";
import { feedBatch, openBatch } from "./run/jobs/open.ts";
import type { Again, Terms, Tools } from "./run/jobs/tools.ts";
import { makeTurn, takeTurn } from "./run/jobs/turn.ts";
import type { ChunkDeps, DeleteDeadline } from "./run/work.ts";
import { createWorkshop } from "./run/workshop.ts";

const NO_DEADLINE: DeleteDeadline = {
  deletes: new AbortController().signal,
  mayDelete: () => true,
  requireDelete: () => undefined,
};

export type ChunkProcessor = {
  /** A BullMQ processor. The signal ends with the worker's shutdown or a lost lock. Without a deadline it is that alone which ends deletes. */
  (job: Job, token: string, signal: AbortSignal, deadline?: DeleteDeadline): Promise<void>;
  close(): void;
};

/** The room's door for workers: what is done with the jobs of the chunk queue. Keeps nothing between jobs but what it can find again in Redis. */
export function createChunkProcessor(deps: ChunkDeps): ChunkProcessor {
  const store = createBatchStore(deps.redis, deps.prefix);
  const chunks = createChunkStore(store);
  const controls = createControls(store);
  const tools: Tools = { deps, store, chunks, workshop: createWorkshop(deps, { store, chunks, controls }) };
  const tries = createTries();

  const processor = async (job: Job, token: string, signal: AbortSignal, deadline = NO_DEADLINE): Promise<void> => {
    const data = job.data as BatchJobData; // only batch-queue and schedules add jobs
    const id = job.id ?? "";
    let again: Again;
    try {
      again = await handle(tools, { data, id }, { signal, deadline, stalled: job.stalledCounter > 0 });
      tries.delete(id);
    } catch (thrown) {
      again = await afterFailure(tools, tries, { data, id, thrown, signal });
    }
    if (again === undefined) return;
    // Who had a turn comes back after all who wait, or a batch whose jobs stand first would have every turn.
    if (again.behind !== undefined) await job.changePriority({ priority: again.behind });
    await job.moveToDelayed(Date.now() + again.inMs, token);
    throw new DelayedError();
  };
  return Object.assign(processor, { close: controls.close });
}

type Asked = { readonly data: BatchJobData; readonly id: string };

async function handle(tools: Tools, { data, id }: Asked, terms: Terms): Promise<Again> {
  if (data.kind === "due") return await makeTurn(tools, data, id);
  if (data.kind === "turn") return await takeTurn(tools, data);
  const { batch } = data;
  const spec = await tools.store.spec(batch);
  if (spec === undefined) return undefined;
  if (data.kind === "open") return await openBatch(tools, { batch, spec, signal: terms.signal });
  if (data.kind === "feed") return await feedBatch(tools, { batch, spec, signal: terms.signal });
  return await deliverChunk(tools, { batch, chain: data.chain, n: data.n }, { spec, ...terms });
}
