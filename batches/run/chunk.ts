import { checkpoint, skipTold } from "./checkpoint.ts";
import { finishChunk, giveUp } from "./finish.ts";
import { COPIED, OPEN } from "./outcomes.ts";
import { screenObjects } from "./screen.ts";
import type { ChunkWork } from "./work.ts";

/** How a delivery of a chunk ended: counted; to go on when the batch is resumed; or to go on after others had their turn. */
export type ChunkEnd =
  | { readonly what: "finished" | "parked" }
  | { readonly what: "yielded"; readonly inMs: number; readonly priority: number };

/**
 * Brings every object of a chunk to its outcome.
 *
 * @throws Superseded where another delivery has the chunk, and whatever ends the signal or the document store's write
 */
export async function runChunk(work: ChunkWork, fail: (error: unknown) => Promise<void>): Promise<ChunkEnd> {
  const { outcomes, control, delivery } = work;
  outcomes.restore(delivery.checkpoints);
  skipTold(work);
  control.learn(delivery.state);
  screenObjects(work);
  try {
    if (control.halted === undefined) await work.operation.work(work);
  } catch (error) {
    // What is known is worth more than what was cut off: the next delivery goes on from it.
    if (work.ending.aborted) await checkpoint(work).catch(() => {});
    throw error;
  }
  if (work.fatal !== undefined) {
    await fail(work.fatal);
    control.learn("failing");
  }
  // The checkpoint may tell of a cancel that came meanwhile.
  await checkpoint(work);
  if (control.halted === "cancel" || control.halted === "fail") {
    await giveUp(work, control.halted);
    await checkpoint(work);
  }
  if (outcomes.count(OPEN) > 0 || outcomes.count(COPIED) > 0) {
    const { state, priority } = await work.chunks.park(delivery);
    if (state === "paused" || state === "pausing") return { what: "parked" };
    return { what: "yielded", inMs: control.backInMs, priority: priority ?? work.spec.priority };
  }
  await finishChunk(work);
  return { what: "finished" };
}
