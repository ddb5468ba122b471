import { ActivityError } from "../../model/activity-error.ts";
import { FAILED, SKIPPED, SUCCEEDED } from "./outcomes.ts";
import type { Progress, Tally } from "../state/chunk-store.ts";
import type { Written } from "../../redis/replica-wait.ts";
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

/** What earlier deliveries did was told by them. */
export function skipTold(work: ChunkWork): void {
  Object.assign(work.ticked, endedOf(work));
}

/** What happened since it was last asked. */
export function takeProgress(work: ChunkWork): Progress {
  const { requests, ticked } = work;
  const { objects, bytes } = endedOf(work);
  const grown = { objects: Math.max(0, objects - ticked.objects), bytes: Math.max(0, bytes - ticked.bytes) };
  Object.assign(ticked, { objects, bytes });
  const { list, head, copy, delete: deletes } = requests.take();
  return { ...grown, lists: list, heads: head, copies: copy, deletes };
}

function endedOf(work: ChunkWork): ChunkWork["ticked"] {
  const { outcomes } = work;
  const objects = outcomes.count(SUCCEEDED) + outcomes.count(FAILED) + outcomes.count(SKIPPED);
  return { objects, bytes: succeededBytes(work) };
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
export async function checkpoint(work: ChunkWork): Promise<Written> {
  const { outcomes, chunks, delivery, control } = work;
  const group = outcomes.takeGroup();
  const live = [outcomes.count(SUCCEEDED), outcomes.count(FAILED), outcomes.count(SKIPPED), succeededBytes(work)].join(
    ",",
  );
  const threshold = thresholdOf(work);
  const asked = performance.now();
  const known = { group, live, threshold, progress: takeProgress(work) };
  const { state, written } = await chunks.checkpoint(delivery, known);
  if (state === "superseded") throw new Superseded();
  control.learn(state, asked);
  return written;
}

/** Replicas that stay away for so long are told as what holds the batch up. Milliseconds. */
const TELL_AFTER_MS = 5000;

/**
 * The same, and waits for as many replicas as the worker was told to: afterwards a failover to one of them still knows the proofs. Ends early where the
 * batch halts, and then nothing is deleted.
 */
export async function checkpointSurviving(work: ChunkWork): Promise<void> {
  const written = await checkpoint(work);
  const { replicas, control, signal } = work;
  if (replicas === undefined) return;
  const telling = setTimeout(() => {
    const error = new ActivityError(
      "ReplicasMissing",
      "expected replicas of Redis to have the proofs; sources are kept until then",
      {
        retryable: true,
      },
    );
    work.noteTrouble(error).catch(() => undefined); // only a word on a page
  }, TELL_AFTER_MS);
  try {
    await replicas.survives(written, { signal: AbortSignal.any([signal, control.stopping]) });
  } catch (error) {
    if (!control.stopping.aborted) throw error;
  } finally {
    clearTimeout(telling);
  }
}
