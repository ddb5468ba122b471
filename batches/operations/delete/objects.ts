import { ActivityError } from "../../../model/activity-error.ts";
import type { DeleteOutcome } from "../../../s3/interface.ts";
import { bucketAt } from "../../state/chunk-manifest.ts";
import { COPIED } from "../../run/outcomes.ts";
import { backoff, isFatal, isThrottle, MAX_TRIES, rest, toError } from "../../run/retry.ts";
import { itemAt, type Looked, lookBefore, type Refusal } from "./unchanged.ts";
import { isUndecided, settleUncertain } from "../../run/uncertain.ts";
import type { ChunkWork } from "../../run/work.ts";

/** Rounds in a row that a store may be too busy for, before the chunk makes room. */
const MAX_WAITS = 12;

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
  /** Named by a request that had no proper answer, or by one of an earlier delivery: it may have taken effect. */
  const uncertain = new Set(indexes.filter((index) => work.outcomes.handedOver.has(index)));
  for (let tries = 1, waits = 1; left.length > 0;) {
    const final = tries >= MAX_TRIES;
    if (!mayDelete(work)) return await settleUncertain(work, [...uncertain]);
    const looked = await lookBefore(work, left, { final, mayDelete });
    if (!mayDelete(work)) return await settleUncertain(work, [...uncertain]);
    const sent = await deleteOnce(work, { bucket, indexes: looked.unchanged, final });
    for (const index of sent.unanswered) uncertain.add(index);
    if (sent.unanswered.length > 0) await work.noteCutOff();
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
  const unanswered = indexes.filter((_, at) => answers[at] === undefined || answers[at].uncertain === true);
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
  return { ...result, unanswered };
}

/** What a request without an answer may have deleted is looked for before its row says that it is kept. */
async function refuseAll(work: ChunkWork, refused: readonly Refusal[], uncertain: ReadonlySet<number>): Promise<void> {
  const unknown = refused.map(([index]) => index).filter((index) => uncertain.has(index));
  await settleUncertain(work, unknown);
  for (const [index, error] of refused) if (isUndecided(work, index)) refuse(work, index, error);
}

function refuse({ outcomes }: ChunkWork, index: number, error: ActivityError): void {
  const { code, httpStatus } = error;
  const kept = outcomes.status[index] === COPIED ? "; the copy is proven, source and copy are both kept" : "";
  outcomes.failed(index, { code, message: error.message + kept, httpStatus });
}
