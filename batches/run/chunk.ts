import { checkpoint, takeProgress } from "./checkpoint.ts";
import { type Conflicts, loadConflicts } from "../listing/conflicts.ts";
import { copyObjects } from "../operations/copy/objects.ts";
import { copiedIndexes, deleteCopied, deleteObjects } from "../operations/delete/objects.ts";
import { finishChunk, giveUp } from "./finish.ts";
import { runLanes } from "./lanes.ts";
import { COPIED, OPEN } from "./outcomes.ts";
import type { Pace } from "./pace.ts";
import { patiently } from "./patience.ts";
import { rest } from "./retry.ts";
import { screenObjects } from "./screen.ts";
import { type ChunkWork, destinationKeyAt, pinAt } from "./work.ts";

/** How often what is known is written down while objects are in work, in ms: what a crash costs, and what `progress` shows. */
const CHECKPOINT_MS = 1000;
/** Sources are deleted in rounds of so many, or after so long, so that DeleteObjects stays rare and no copy waits long. */
const DELETE_ROUND = 500;
const DELETE_MS = 10_000;

/** How a delivery of a chunk ended: counted; to go on when the batch is resumed; or to go on after others had their turn. */
export type ChunkEnd = "finished" | "parked" | "yielded";

/**
 * Brings every object of a chunk to its outcome.
 *
 * @throws Superseded where another delivery has the chunk, and whatever ends the signal or the document store's write
 */
export async function runChunk(
  work: ChunkWork,
  pace: Pace,
  fail: (error: unknown) => Promise<void>,
): Promise<ChunkEnd> {
  const { outcomes, control, delivery } = work;
  outcomes.restore(delivery.checkpoints);
  // What earlier deliveries did was told by them.
  takeProgress(work);
  control.learn(delivery.state);
  screenObjects(work);
  try {
    if (control.halted === undefined) await workOnObjects(work, pace);
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
    const state = await work.chunks.park(delivery);
    return state === "paused" || state === "pausing" ? "parked" : "yielded";
  }
  await finishChunk(work);
  return "finished";
}

async function workOnObjects(work: ChunkWork, pace: Pace): Promise<void> {
  if (work.spec.operation === "delete") return await deleteAll(work, pace);
  await proveInherited(work);
  const conflicts = work.spec.onConflict === "overwrite" ? undefined : await loadConflicts(work);
  await copyAndKeep(work, pace, conflicts);
  if (work.spec.operation === "move" && work.control.halted !== "pause") await deleteCopied(work);
}

async function deleteAll(work: ChunkWork, pace: Pace): Promise<void> {
  const open: number[] = [];
  for (const [index, status] of work.outcomes.status.entries()) if (status === OPEN) open.push(index);
  for (let start = 0; start < open.length && work.control.halted === undefined && work.fatal === undefined;) {
    const granted = await pace.takeMany(open.length - start);
    if (granted === 0) return;
    await checkpoint(work);
    await deleteObjects(work, open.slice(start, start + granted));
    start += granted;
  }
}

/** Copies while a keeper writes down what is known, and deletes the sources of what was copied. */
async function copyAndKeep(work: ChunkWork, pace: Pace, conflicts: Conflicts | undefined): Promise<void> {
  const copying = new AbortController();
  let failure: { readonly error: unknown } | undefined;
  const keeper = keep(work, copying.signal).catch((error: unknown) => {
    failure = { error };
    work.fatal ??= error;
  });
  try {
    await copyObjects(work, conflicts, pace);
  } finally {
    copying.abort();
    await keeper;
  }
  if (failure !== undefined) {
    work.fatal = undefined;
    throw failure.error;
  }
}

async function keep(work: ChunkWork, copied: AbortSignal): Promise<void> {
  let deletedAt = Date.now();
  while (await rest(CHECKPOINT_MS, AbortSignal.any([copied, work.signal]))) {
    const waiting = work.spec.operation === "move" ? copiedIndexes(work).length : 0;
    const due = waiting >= DELETE_ROUND || (waiting > 0 && Date.now() - deletedAt > DELETE_MS);
    if (!due || work.control.halted !== undefined) await checkpoint(work);
    else {
      await deleteCopied(work);
      deletedAt = Date.now();
    }
  }
}

/** Time has passed since an earlier delivery proved its copies: no source is deleted before they are seen again. */
async function proveInherited(work: ChunkWork): Promise<void> {
  const { outcomes, destination, spec, signal, control } = work;
  await runLanes([...outcomes.inherited], work.concurrency, async (index) => {
    const pin = pinAt(work, index);
    const etag = outcomes.etags[index];
    const verified = outcomes.verifiedAt(index);
    const target = { bucket: spec.destination?.bucket ?? "", key: destinationKeyAt(work, index) ?? "" };
    if (control.halted !== undefined) return false;
    if (pin === undefined || etag === undefined || verified === undefined) {
      outcomes.reopen(index);
      return true;
    }
    work.requests.head++;
    const ours = { ...target, etag, size: pin.size, verified };
    const proof = await patiently(() => destination.proves({ source: pin, ...target, ours }, { signal }), signal);
    if (proof === undefined) outcomes.reopen(index);
    else outcomes.inherited.delete(index);
    return true;
  });
}
