import { ActivityError } from "../../../model/activity-error.ts";
import type { DeleteOutcome } from "../../../s3/interface.ts";
import { checkpoint, checkpointSurviving } from "../../run/checkpoint.ts";
import { findThere } from "../../listing/conflicts.ts";
import { runLanes } from "../../run/lanes.ts";
import { bucketAt } from "../../state/chunk-manifest.ts";
import { COPIED, OPEN } from "../../run/outcomes.ts";
import { patiently } from "../../run/patience.ts";
import { backoff, isFatal, isThrottle, MAX_TRIES, rest, toError } from "../../run/retry.ts";
import { itemAt, type Looked, lookBefore, type Refusal } from "./unchanged.ts";
import { type ChunkWork, destinationKeyAt } from "../../run/work.ts";

/** Rounds in a row that a store may be too busy for, before the chunk makes room. */
const MAX_WAITS = 12;

/** Objects whose copy is proven, by this delivery, and whose source is still to be deleted. */
export function copiedIndexes({ outcomes }: ChunkWork): number[] {
  const indexes: number[] = [];
  for (const [index, status] of outcomes.status.entries())
    if (status === COPIED && !outcomes.inherited.has(index)) indexes.push(index);
  return indexes;
}

/** Writes the proofs of copies down, then deletes their sources. After a halt nothing is deleted. */
export async function deleteCopied(work: ChunkWork): Promise<void> {
  const indexes = copiedIndexes(work);
  if (indexes.length === 0) return void (await checkpoint(work));
  await checkpointSurviving(work);
  await deleteObjects(work, await stillThere(work, indexes));
}

/**
 * Where the store takes a copy over whatever is there, although it was to be refused, somebody else's may have taken the place of ours: then the
 * source is the only one left.
 */
async function stillThere(work: ChunkWork, indexes: readonly number[]): Promise<readonly number[]> {
  const { spec, destination, outcomes } = work;
  const trusting = spec.onConflict === "overwrite" || spec.onConflict === "skip-identical";
  if (trusting || destination.connection.conditionalCopy || indexes.length === 0) return indexes;
  const there = await findThere(work, indexes);
  return indexes.filter((index) => {
    if (there.get(index)?.etag === outcomes.etags[index]) return true;
    const message = `DestinationChanged: s3://${spec.destination?.bucket ?? ""}/${destinationKeyAt(work, index) ?? ""} is not the proven copy any more; the source is kept`;
    outcomes.failed(index, { code: "DestinationChanged", message });
    return false;
  });
}

/**
 * Deletes objects, each only while it is the pinned object: the same ETag, size and date, looked at just before, and the same ETag once more in
 * the request where the store enforces that. Every key has an outcome afterwards, unless the batch halts before, or the store stays too busy.
 */
export async function deleteObjects(work: ChunkWork, indexes: readonly number[]): Promise<void> {
  const groups = new Map<string, number[]>();
  for (const index of indexes) {
    const bucket = bucketAt(work.manifest, index);
    const group = groups.get(bucket);
    if (group === undefined) groups.set(bucket, [index]);
    else group.push(index);
  }
  for (const [bucket, group] of groups) await deleteInBucket(work, bucket, group);
}

/**
 * After a pause or cancel is seen, nothing is deleted any more; a yield ends its round. Nor is it long after anything was heard of the batch or the
 * job's lock: by then another worker may have the chunk, and say of its objects that they are kept.
 *
 * @throws ActivityError `LockLost`: what was sent is for the next delivery to find out
 */
function mayDelete({ control, fatal, signal, deadline }: ChunkWork): boolean {
  if (signal.aborted || fatal !== undefined || (control.halted !== undefined && control.halted !== "yield"))
    return false;
  deadline.requireDelete();
  if (!control.isFresh())
    throw new ActivityError("LockLost", "expected to hear of the batch while its objects are deleted", {
      retryable: true,
    });
  return true;
}

async function deleteInBucket(work: ChunkWork, bucket: string, indexes: readonly number[]): Promise<void> {
  let left = [...indexes];
  /** Named by a request that had no proper answer: it may have taken effect. */
  const uncertain = new Set<number>();
  for (let tries = 1, waits = 1; left.length > 0;) {
    const final = tries >= MAX_TRIES;
    if (!mayDelete(work)) return await settleUncertain(work, [...uncertain]);
    const looked = await lookBefore(work, left, { final, mayDelete });
    if (!mayDelete(work)) return await settleUncertain(work, [...uncertain]);
    const sent = await deleteOnce(work, { bucket, indexes: looked.unchanged, final });
    for (const index of sent.unanswered) uncertain.add(index);
    await refuseAll(work, [...looked.refused, ...sent.refused], uncertain);
    left = [...looked.again, ...sent.again];
    if (left.length === 0) return;
    const throttled = looked.throttled || sent.throttled;
    if (!throttled) tries++;
    // Its objects are looked at anew by then, and others get on meanwhile.
    else if (waits > MAX_WAITS) return work.control.giveWay();
    await rest(backoff(throttled ? waits++ : tries), AbortSignal.any([work.control.stopping, work.signal]));
  }
}

type Round = { readonly bucket: string; readonly indexes: readonly number[]; readonly final: boolean };
type RoundResult = Omit<Looked, "unchanged"> & { readonly unanswered: readonly number[] };

async function deleteOnce(work: ChunkWork, { bucket, indexes, final }: Round): Promise<RoundResult> {
  const { source, signal, outcomes } = work;
  const result = { again: [] as number[], refused: [] as Refusal[], throttled: false };
  if (indexes.length === 0) return { ...result, unanswered: [] };
  const items = indexes.map((index) => itemAt(work, index));
  for (const index of indexes) work.started[index] = 1;
  let answers: readonly DeleteOutcome[];
  try {
    work.requests.delete++;
    answers = await source.deleteMany({ bucket, items }, { signal: AbortSignal.any([signal, work.deadline.deletes]) });
  } catch (thrown) {
    signal.throwIfAborted();
    work.deadline.requireDelete();
    const error = toError(thrown);
    const throttled = isThrottle(error);
    if (isFatal(error)) work.fatal ??= error;
    else if (throttled || (error.retryable && !final)) result.again.push(...indexes);
    else result.refused.push(...indexes.map((index): Refusal => [index, error]));
    return { ...result, throttled, unanswered: indexes };
  }
  for (const [at, index] of indexes.entries()) {
    const error = answers[at]?.error;
    if (answers[at] !== undefined && error === undefined) outcomes.succeeded(index);
    else if (error === undefined) result.again.push(index);
    else if (isThrottle(error)) {
      result.throttled = true;
      result.again.push(index);
    } else if (error.retryable && !final) result.again.push(index);
    else result.refused.push([index, error]);
  }
  return { ...result, unanswered: [] };
}

/** What a request without an answer may have deleted is looked for before its row says that it is kept. */
async function refuseAll(work: ChunkWork, refused: readonly Refusal[], uncertain: ReadonlySet<number>): Promise<void> {
  const unknown = refused.map(([index]) => index).filter((index) => uncertain.has(index));
  await settleUncertain(work, unknown);
  for (const [index, error] of refused) if (isUndecided(work, index)) refuse(work, index, error);
}

function isUndecided({ outcomes }: ChunkWork, index: number): boolean {
  return outcomes.status[index] === COPIED || outcomes.status[index] === OPEN;
}

function refuse({ outcomes, spec }: ChunkWork, index: number, error: ActivityError): void {
  const { code, httpStatus } = error;
  const kept = spec.operation === "move" ? "; the copy is proven, source and copy are both kept" : "";
  outcomes.failed(index, { code, message: error.message + kept, httpStatus });
}

/**
 * Nobody knows what a delete has done, and it is not to be repeated: looks, rather than guesses.
 *
 * @throws the reason of the job's end, where that comes before all are looked at: then nothing may be said of them
 */
export async function settleUncertain(work: ChunkWork, indexes: readonly number[]): Promise<void> {
  const { source, outcomes, manifest, ending } = work;
  ending.throwIfAborted();
  await runLanes(indexes, work.concurrency, async (index) => {
    if (!isUndecided(work, index)) return true;
    const { key, versionId } = itemAt(work, index);
    work.requests.head++;
    try {
      const object = { bucket: bucketAt(manifest, index), key, ...(versionId !== undefined && { versionId }) };
      const now = await patiently(() => source.find(object, { signal: ending }), ending);
      if (now === undefined) outcomes.succeeded(index);
    } catch (error) {
      const { code, message, httpStatus, retryable } = toError(error);
      if (ending.aborted || retryable) throw error;
      // Who may not look will never know. After a pause the object is worked on again; otherwise its row says so.
      if (work.control.halted === "pause") return true;
      const unknown = `${message}; the delete was cut off, and nobody may look whether the object is still there`;
      outcomes.failed(index, { code, message: unknown, httpStatus });
    }
    return true;
  });
}
