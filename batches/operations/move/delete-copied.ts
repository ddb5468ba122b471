import { checkpoint, checkpointSurviving } from "../../run/checkpoint.ts";
import { findThere } from "../../listing/conflicts.ts";
import { keepProofs } from "../../run/kept-proofs.ts";
import { COPIED } from "../../run/outcomes.ts";
import { isUndecided, settleUncertain } from "../../run/uncertain.ts";
import { type ChunkWork, destinationKeyAt } from "../../run/work.ts";
import { deleteObjects } from "../delete/objects.ts";

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
  await keepProofs(work, indexes);
  await deleteObjects(work, await stillThere(work, indexes));
}

/**
 * Where the store takes a copy over whatever is there, although it was to be refused, somebody else's may have taken the place of ours: then the
 * source is the only one left.
 */
async function stillThere(work: ChunkWork, indexes: readonly number[]): Promise<readonly number[]> {
  const { spec, destination, outcomes } = work;
  const trusting = spec.onConflict === "overwrite" || spec.onConflict === "skip-identical";
  if (trusting || destination.connection.conditionalWrite || indexes.length === 0) return indexes;
  const there = await findThere(work, indexes);
  const replaced = indexes.filter((index) => there.get(index)?.etag !== outcomes.etags[index]);
  // An earlier delivery may have deleted the source already.
  await settleUncertain(
    work,
    replaced.filter((index) => outcomes.handedOver.has(index)),
  );
  for (const index of replaced.filter((one) => isUndecided(work, one))) {
    const message = `DestinationChanged: s3://${spec.destination?.bucket ?? ""}/${destinationKeyAt(work, index) ?? ""} is not the proven copy any more; the source is kept`;
    outcomes.failed(index, { code: "DestinationChanged", message });
  }
  return indexes.filter((index) => isUndecided(work, index));
}
