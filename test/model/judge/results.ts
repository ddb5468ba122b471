import type { Place } from "../generation.ts";
import type { ModelJob } from "../lanes/job-queue.ts";
import type { Scene } from "../scene.ts";
import type { ModelStore } from "../store.ts";
import type { Truth } from "./truth.ts";

/** A job that says what it wrote, when it says so. */
type Claim = {
  readonly job: ModelJob;
  readonly destination: Place;
  readonly etag: string;
  readonly truth: Truth;
  readonly store: ModelStore;
};

/** What is wrong with a claim, if anything. */
type ClaimRule = (claim: Claim) => string | undefined;

/** What no result may claim. */
const RULES: readonly ClaimRule[] = [wasAtDestination, movedAway, wasAtSource];

/** Success is claimed only with the content at the destination, and none of a move's left at its source. */
export function judgeResult(
  { truth, store }: Scene,
  { job, result, by }: { readonly job: ModelJob; readonly result: unknown; readonly by: string },
): void {
  const { skipped, object: copy } = result as { skipped?: boolean; object?: { etag: string } }; // as the contracts have it
  const { destination } = job.data;
  if (destination === undefined || skipped === true || copy === undefined) return;
  const claim = { job, destination, etag: copy.etag, truth, store };
  for (const rule of RULES) {
    const problem = rule(claim);
    if (problem !== undefined) truth.complain(`${by} claims ${problem}`);
  }
}

function wasAtDestination({ destination, etag, truth }: Claim): string | undefined {
  if (truth.etagsAt(destination).has(etag)) return undefined;
  return `${etag} at ${destination.bucket}/${destination.key}, where it never was`;
}

function movedAway({ job: { activity, data, found }, store }: Claim): string | undefined {
  const left = store.current(data.object);
  if (activity !== "move-object" || left === undefined || left.id !== found) return undefined;
  return "to have moved what is still at its source";
}

function wasAtSource({ job: { activity, data }, etag, truth }: Claim): string | undefined {
  if (activity !== "move-object" || truth.etagsAt(data.object).has(etag)) return undefined;
  return "to have moved what never was at its source";
}
