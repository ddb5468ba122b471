import type { ObjectDetails } from "../../model/entities.ts";
import { isSameSecond } from "../../model/one-object.ts";
import { bucketAt } from "../state/chunk-manifest.ts";
import { runLanes } from "./lanes.ts";
import { COPIED, OPEN } from "./outcomes.ts";
import { patiently } from "./patience.ts";
import { toError } from "./retry.ts";
import { type ChunkWork, pinAt } from "./work.ts";

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
    const [key, versionId] = [manifest.keys[index] ?? "", manifest.versions?.[index]];
    try {
      const object = { bucket: bucketAt(manifest, index), key, ...(typeof versionId === "string" && { versionId }) };
      const now = await patiently(() => source.find(object, { signal: ending }), ending);
      if (now === undefined) outcomes.succeeded(index);
      else settleOther(work, index, now);
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

export function isUndecided({ outcomes }: ChunkWork, index: number): boolean {
  return outcomes.status[index] === COPIED || outcomes.status[index] === OPEN;
}

/** Somebody else's object lies where the pinned one was: that one is gone, by the delete or by whoever wrote this. */
function settleOther(work: ChunkWork, index: number, now: ObjectDetails): void {
  const { outcomes, spec } = work;
  const pin = pinAt(work, index);
  const isStill = pin === undefined || (now.etag === pin.etag && isSameSecond(now.lastModified, pin.lastModified));
  if (isStill || pin.versionNamed === true) return;
  const copied = outcomes.status[index] === COPIED ? "; the copy is proven" : "";
  const message = `SourceChanged: the ${spec.operation} was cut off, and what lies at s3://${pin.bucket}/${pin.key} now came later${copied}`;
  outcomes.failed(index, { code: "SourceChanged", message, httpStatus: 412 });
}
