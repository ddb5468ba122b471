import { ActivityError } from "../../model/activity-error.ts";
import { FAILED, SKIPPED, SUCCEEDED } from "./outcomes.ts";
import type { Tally } from "../state/chunk-store.ts";
import { type ChunkWork, Superseded } from "./work.ts";

/** Bytes of the objects that succeeded. */
export function succeededBytes({ manifest, outcomes }: Pick<ChunkWork, "manifest" | "outcomes">): number {
  let bytes = 0;
  for (const [index, status] of outcomes.status.entries()) {
    if (status !== SUCCEEDED) continue;
    bytes += Math.max(0, outcomes.pins.get(index)?.size ?? manifest.sizes[index] ?? 0);
  }
  return bytes;
}

/** What the throughput has grown by since it was last asked. */
export function takeTicks(work: ChunkWork): { objects: number; bytes: number } {
  const objects = work.outcomes.count(SUCCEEDED);
  const bytes = succeededBytes(work);
  const grown = { objects: Math.max(0, objects - work.ticked.objects), bytes: Math.max(0, bytes - work.ticked.bytes) };
  work.ticked.objects = objects;
  work.ticked.bytes = bytes;
  return grown;
}

/** When the batch fails as a whole, and with which error. */
export function thresholdOf({ spec }: Pick<ChunkWork, "spec">): Tally["threshold"] {
  const { ratio, minimum } = spec.failureThreshold;
  const sentence = `expected at most ${ratio * 100}% of the objects to fail, once ${minimum} were attempted`;
  return { ratio, minimum, error: JSON.stringify(new ActivityError("FailureThresholdExceeded", sentence)) };
}

/**
 * Writes down what is known by now, and learns on the way what became of the batch. Sources are deleted only after it.
 *
 * @throws Superseded where another delivery has the chunk
 */
export async function checkpoint(work: ChunkWork): Promise<void> {
  const { outcomes, chunks, delivery, control } = work;
  const group = outcomes.takeGroup();
  const live = [outcomes.count(SUCCEEDED), outcomes.count(FAILED), outcomes.count(SKIPPED), succeededBytes(work)].join(
    ",",
  );
  const threshold = thresholdOf(work);
  const state = await chunks.checkpoint(delivery, { group, live, threshold, ticked: takeTicks(work) });
  if (state === "superseded") throw new Superseded();
  control.learn(state);
}
