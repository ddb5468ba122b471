import { createControls, type ChunkControls } from "../../../batches/run/control.ts";
import { runChunk } from "../../../batches/run/chunk.ts";
import { type ChunkWork, Superseded } from "../../../batches/run/work.ts";
import { claimRanges, releaseRanges, whileClaimed } from "../../../batches/state/claim-ranges.ts";
import type { BatchStore } from "../../../batches/state/store.ts";
import { ActivityError } from "../../../model/activity-error.ts";
import { type Deadline, startDeadline } from "../../../redis/deadline.ts";
import { openStore } from "../../../s3/create.ts";
import type { Scene } from "../scene.ts";
import { openModelS3 } from "../transport.ts";
import { deliveryName } from "./batch.ts";
import { type BatchQueue, LOCK_MS, type TakenChunk } from "./batch-queue.ts";
import { chunkWorkOf } from "./chunk-work.ts";

export type BatchLane = { readonly scene: Scene; readonly queue: BatchQueue; readonly store: BatchStore };

/** What a delivery works under: until when, and whether the batch was halted. */
type Terms = {
  readonly by: string;
  readonly signal: AbortSignal;
  readonly deadline: Deadline;
  readonly controls: ChunkControls;
};

/** One delivery of a chunk, if one waits: the part of the worker's queue. */
export async function deliverChunk(lane: BatchLane): Promise<void> {
  const { scene, queue } = lane;
  const taken = await queue.take();
  if (taken === undefined) return;
  const { batch, token } = taken;
  const by = deliveryName(batch, token);
  const deadline = startDeadline({ lockMs: LOCK_MS, sentAt: performance.now(), name: batch.id });
  const lost = new AbortController();
  deadline.signal.addEventListener("abort", () => lost.abort(deadline.signal.reason));
  const renewal = keepRenewing(queue, taken, { deadline, lost });
  const controls = createControls(lane.store);
  try {
    await work(lane, taken, { by, signal: lost.signal, deadline, controls });
    await queue.giveBack(taken, 0);
  } catch (error) {
    if (!(error instanceof Superseded) && !(error instanceof ActivityError) && !lost.signal.aborted)
      scene.truth.complain(`${by}: ${error instanceof Error ? (error.stack ?? "") : String(error)}`);
    await queue.giveBack(taken, 2000);
  } finally {
    clearInterval(renewal);
    deadline.end();
    controls.close();
  }
}

function keepRenewing(
  queue: BatchQueue,
  taken: TakenChunk,
  { deadline, lost }: { readonly deadline: Deadline; readonly lost: AbortController },
): NodeJS.Timeout {
  return setInterval(() => {
    const sentAt = performance.now();
    const reason = new ActivityError("LockLost", "the chunk is another's", { retryable: true });
    void queue.renew(taken).then((is) => (is ? deadline.confirm(sentAt) : lost.abort(reason)));
  }, LOCK_MS / 4);
}

/** What the processor of chunks does: claims the ranges, lists once, and runs the chunk. */
async function work({ scene, queue, store }: BatchLane, { batch }: TakenChunk, terms: Terms): Promise<void> {
  const { by, signal, deadline, controls } = terms;
  if (batch.state === "running" && !(await claimRanges(store, batch.id, batch.spec)))
    throw new ActivityError("Overlap", "waits", { retryable: true });
  if (batch.manifest === undefined) {
    const source = openStore(openModelS3(scene.connection, scene.world, scene.store, { by: `${by} lists` }));
    const bucket = "prefix" in batch.spec.source ? batch.spec.source.bucket : "";
    const { objects } = await source.listPage({ bucket }, { signal });
    await queue.commit(batch, bucket, objects);
  }
  const delivery = await queue.begin(batch);
  const control = controls.watch(batch.id, { rate: undefined });
  const chunkWork = (lost: AbortSignal): ChunkWork =>
    chunkWorkOf(scene, queue, {
      batch,
      manifest: batch.manifest!, // listed above
      delivery,
      signal: AbortSignal.any([signal, lost]),
      deadline,
      by,
      control,
    });
  try {
    const end = await whileClaimed(store, batch.id, (lost) =>
      runChunk(chunkWork(lost), async () => {
        await queue.fail(batch);
      }),
    );
    if (end.what === "finished") await releaseRanges(store, batch.id);
  } finally {
    control.release();
  }
}
