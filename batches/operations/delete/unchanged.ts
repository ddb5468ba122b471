import type { ActivityError } from "../../../model/activity-error.ts";
import { isSameSecond } from "../../../model/one-object.ts";
import type { DeleteItem, Pin } from "../../../s3/interface.ts";
import { runLanes } from "../../run/lanes.ts";
import { bucketAt } from "../../state/chunk-manifest.ts";
import { COPIED } from "../../run/outcomes.ts";
import { isFatal, isThrottle, toError } from "../../run/retry.ts";
import { type ChunkWork, pinAt } from "../../run/work.ts";

export type Refusal = readonly [index: number, error: ActivityError];

/** What a look before a delete came to. */
export type Looked = {
  /** May be deleted now. */
  readonly unchanged: number[];
  /** Could not be looked at this time. */
  readonly again: number[];
  /** Will not be deleted, for this reason. */
  readonly refused: Refusal[];
  readonly throttled: boolean;
};

type Round = { readonly final: boolean; readonly mayDelete: (work: ChunkWork) => boolean };

/** A move deletes what it pinned. A delete does too where the batch knows what it saw, and whatever is there where it was only given a name. */
export function itemAt({ manifest, outcomes }: ChunkWork, index: number): DeleteItem {
  const key = manifest.keys[index] ?? "";
  const versionId = manifest.versions?.[index];
  if (typeof versionId === "string") return { key, versionId };
  const { etag = manifest.etags[index] ?? "", ...pin } = outcomes.pins.get(index) ?? {
    size: manifest.sizes[index] ?? -1,
    lastModified: manifest.modified[index] ?? "",
  };
  if (etag === "") return { key };
  // With all of these the store's room looks at the object before it deletes it.
  return pin.size < 0 || pin.lastModified === ""
    ? { key, etag }
    : { key, etag, size: pin.size, lastModified: pin.lastModified };
}

/**
 * Where the store would delete whatever is there, looks first. What is gone or changed is decided upon. An object whose look fails has to
 * wait for the next round: repeated here, it would let the others, which were looked at already, grow old.
 */
export async function lookBefore(
  work: ChunkWork,
  indexes: readonly number[],
  { final, mayDelete }: Round,
): Promise<Looked> {
  const result = { unchanged: [] as number[], again: [] as number[], refused: [] as Refusal[], throttled: false };
  if (work.source.connection.conditionalDelete) return { ...result, unchanged: [...indexes] };
  await runLanes(indexes, work.concurrency, async (index) => {
    const { etag, versionId, lastModified } = itemAt(work, index);
    if (versionId !== undefined || etag === undefined || lastModified !== undefined) {
      result.unchanged.push(index);
      return true;
    }
    if (!mayDelete(work)) return false;
    try {
      if (await isUnchanged(work, index, etag)) result.unchanged.push(index);
    } catch (thrown) {
      work.signal.throwIfAborted();
      const error = toError(thrown);
      const throttled = isThrottle(error);
      if (isFatal(error)) work.fatal ??= error;
      else if (throttled || (error.retryable && !final)) result.again.push(index);
      else result.refused.push([index, error]);
      result.throttled ||= throttled;
    }
    return true;
  });
  return result;
}

/** False where it was decided upon. */
async function isUnchanged(work: ChunkWork, index: number, etag: string): Promise<boolean> {
  const { source, outcomes, signal, manifest } = work;
  const key = manifest.keys[index] ?? "";
  const now = await source.find({ bucket: bucketAt(manifest, index), key }, { signal });
  if (now === undefined) {
    outcomes.succeeded(index);
    return false;
  }
  if (isStill(now, etag, pinAt(work, index))) return true;
  const kept = outcomes.status[index] === COPIED ? "; source and copy are both kept" : "";
  const message = `SourceChanged: expected s3://${now.bucket}/${key} with ETag ${etag}, found ${now.etag} of ${now.lastModified}${kept}`;
  outcomes.failed(index, { code: "SourceChanged", message, httpStatus: 412 });
  return false;
}

function isStill(
  now: { etag: string; size: number; lastModified: string },
  etag: string,
  pin: Pin | undefined,
): boolean {
  if (now.etag !== etag) return false;
  return pin === undefined || (now.size === pin.size && isSameSecond(now.lastModified, pin.lastModified));
}
