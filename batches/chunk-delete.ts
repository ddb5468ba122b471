import type { ActivityError } from "../jobs/activity-error.ts";
import type { DeleteItem, DeleteOutcome, Pin } from "../worker/s3/s3.ts";
import { checkpoint } from "./chunk-checkpoint.ts";
import { runLanes } from "./chunk-lanes.ts";
import { bucketAt } from "./chunk-manifest.ts";
import { COPIED, OPEN } from "./chunk-outcomes.ts";
import { backoff, isFatal, isThrottle, MAX_TRIES, rest, toError } from "./chunk-retry.ts";
import { type ChunkWork, pinAt } from "./chunk-work.ts";

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
  await checkpoint(work);
  await deleteObjects(work, indexes);
}

/**
 * Deletes objects, each only while it is the pinned content: by its ETag in DeleteObjects, or where the store does not enforce that, after
 * a HEAD just before. Every key has an outcome afterwards, unless the batch halts before.
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

/** After a pause or cancel is seen, nothing is deleted any more; a yield ends its round. */
function mayDelete({ control, fatal, signal }: ChunkWork): boolean {
  return !signal.aborted && fatal === undefined && (control.halted === undefined || control.halted === "yield");
}

async function deleteInBucket(work: ChunkWork, bucket: string, indexes: readonly number[]): Promise<void> {
  let left = [...indexes];
  /** Keys of a request that had no proper answer: it may have taken effect. */
  let uncertain: readonly number[] = [];
  for (let tries = 1, waits = 1; left.length > 0;) {
    if (!mayDelete(work)) return await settleUncertain(work, uncertain);
    left = await unchangedOf(work, left);
    if (!mayDelete(work)) return await settleUncertain(work, uncertain);
    const { retry, throttled, unanswered } = await deleteOnce(work, {
      bucket,
      indexes: left,
      final: tries >= MAX_TRIES,
    });
    uncertain = unanswered;
    left = retry;
    if (left.length === 0) return;
    if (!throttled) tries++;
    await rest(backoff(throttled ? waits++ : tries), AbortSignal.any([work.control.stopping, work.signal]));
  }
}

type Round = { readonly bucket: string; readonly indexes: readonly number[]; readonly final: boolean };
type RoundResult = { readonly retry: number[]; readonly throttled: boolean; readonly unanswered: readonly number[] };

async function deleteOnce(work: ChunkWork, { bucket, indexes, final }: Round): Promise<RoundResult> {
  const { source, signal, outcomes } = work;
  const items = indexes.map((index) => itemAt(work, index));
  for (const index of indexes) work.started[index] = 1;
  let answers: readonly DeleteOutcome[];
  try {
    work.requests.delete++;
    answers = await source.deleteMany({ bucket, items }, { signal });
  } catch (thrown) {
    signal.throwIfAborted();
    const error = toError(thrown);
    if (isFatal(error)) work.fatal ??= error;
    else if (!isThrottle(error) && (!error.retryable || final)) for (const index of indexes) refuse(work, index, error);
    else return { retry: [...indexes], throttled: isThrottle(error), unanswered: indexes };
    return { retry: [], throttled: false, unanswered: indexes };
  }
  const retry: number[] = [];
  let throttled = false;
  for (const [at, index] of indexes.entries()) {
    const error = answers[at]?.error;
    if (answers[at] !== undefined && error === undefined) outcomes.succeeded(index);
    else if (error === undefined) retry.push(index);
    else if (isThrottle(error)) {
      throttled = true;
      retry.push(index);
    } else if (error.retryable && !final) retry.push(index);
    else refuse(work, index, error);
  }
  return { retry, throttled, unanswered: [] };
}

function refuse({ outcomes, spec }: ChunkWork, index: number, error: ActivityError): void {
  const { code, httpStatus } = error;
  const kept = spec.operation === "move" ? "; the copy is proven, source and copy are both kept" : "";
  outcomes.failed(index, { code, message: error.message + kept, httpStatus });
}

/** A move deletes what it pinned. A delete does too where the batch knows what it saw, and whatever is there where it was only given a name. */
function itemAt({ manifest, outcomes }: ChunkWork, index: number): DeleteItem {
  const key = manifest.keys[index] ?? "";
  const versionId = manifest.versions?.[index];
  if (typeof versionId === "string") return { key, versionId };
  const etag = outcomes.pins.get(index)?.etag ?? manifest.etags[index] ?? "";
  return etag === "" ? { key } : { key, etag };
}

/** Where the store would delete whatever is there, looks first. What is gone or changed is decided upon. */
async function unchangedOf(work: ChunkWork, indexes: readonly number[]): Promise<number[]> {
  const { source, outcomes, signal, manifest } = work;
  if (source.connection.conditionalDelete) return [...indexes];
  const unchanged: number[] = [];
  await runLanes(indexes, work.concurrency, async (index) => {
    const { key, etag, versionId } = itemAt(work, index);
    if (versionId !== undefined || etag === undefined) {
      unchanged.push(index);
      return true;
    }
    if (!mayDelete(work)) return false;
    work.requests.head++;
    const now = await source.find({ bucket: bucketAt(manifest, index), key }, { signal });
    if (now === undefined) outcomes.succeeded(index);
    else if (isStill(now, etag, pinAt(work, index))) unchanged.push(index);
    else {
      const kept = outcomes.status[index] === COPIED ? "; source and copy are both kept" : "";
      const message = `SourceChanged: expected s3://${now.bucket}/${key} with ETag ${etag}, found ${now.etag} of ${now.lastModified}${kept}`;
      outcomes.failed(index, { code: "SourceChanged", message, httpStatus: 412 });
    }
    return true;
  });
  return unchanged;
}

function isStill(
  now: { etag: string; size: number; lastModified: string },
  etag: string,
  pin: Pin | undefined,
): boolean {
  if (now.etag !== etag) return false;
  // Listings tell milliseconds on some stores, HEAD only seconds.
  return pin === undefined || (now.size === pin.size && seconds(now.lastModified) === seconds(pin.lastModified));
}

function seconds(date: string): number {
  return Math.floor(Date.parse(date) / 1000);
}

/** The batch halts while nobody knows what a delete has done: looks, rather than guesses. */
export async function settleUncertain(work: ChunkWork, indexes: readonly number[]): Promise<void> {
  const { source, outcomes, manifest, ending } = work;
  if (ending.aborted) return;
  await runLanes(indexes, work.concurrency, async (index) => {
    if (outcomes.status[index] !== COPIED && outcomes.status[index] !== OPEN) return true;
    const { key, versionId } = itemAt(work, index);
    work.requests.head++;
    try {
      const now = await source.find(
        { bucket: bucketAt(manifest, index), key, ...(versionId !== undefined && { versionId }) },
        { signal: ending },
      );
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
