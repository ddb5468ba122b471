import { ActivityError } from "../../model/activity-error.ts";
import { FAILED, SKIPPED, SUCCEEDED } from "./outcomes.ts";
import type { Progress, Tally } from "../state/chunk-store.ts";
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

/** What happened since it was last asked. */
export function takeProgress(work: ChunkWork): Progress {
  const { outcomes, requests, ticked } = work;
  const objects = outcomes.count(SUCCEEDED) + outcomes.count(FAILED) + outcomes.count(SKIPPED);
  const bytes = succeededBytes(work);
  const grown = { objects: Math.max(0, objects - ticked.objects), bytes: Math.max(0, bytes - ticked.bytes) };
  const told = { ...grown, heads: requests.head, copies: requests.copy, deletes: requests.delete };
  Object.assign(ticked, { objects, bytes });
  Object.assign(requests, { head: 0, copy: 0, delete: 0 });
  return told;
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
  const asked = performance.now();
  const state = await chunks.checkpoint(delivery, { group, live, threshold, progress: takeProgress(work) });
  if (state === "superseded") throw new Superseded();
  control.learn(state, asked);
}
