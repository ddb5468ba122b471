import type { BatchStore } from "../../state/store.ts";
import type { ChunkStore } from "../../state/chunk-store.ts";
import type { BatchSpec } from "../../spec/request.ts";
import type { ChunkDeps, DeleteDeadline } from "../work.ts";
import type { Workshop } from "../workshop.ts";

/** What every job of the chunk queue is done with. */
export type Tools = {
  readonly deps: ChunkDeps;
  readonly store: BatchStore;
  readonly chunks: ChunkStore;
  readonly workshop: Workshop;
};

/** What one delivery of a job is held to. */
export type Terms = {
  readonly signal: AbortSignal;
  readonly deadline: DeleteDeadline;
  /** A worker had the job before and died, or lost it. */
  readonly stalled: boolean;
};

/** What a job asks BullMQ for: nothing, or to be given again in so many ms, with another priority where it is to come after others. */
export type Again = { readonly inMs: number; readonly behind?: number } | undefined;

/** Until something that is taken is looked at again, in ms: a schedule's turn, or a place where another batch moves. */
export const TAKEN_MS = 2000;
/** Until a chunk looks again whether there is room for it, in ms. */
export const ROOM_MS = 500;

/** Chunks of a batch that may be open at once: with some 25 KB each, 3 MB of Redis. Fewer where keys are long. */
const MAX_OPEN = 128;
/** Objects per second for which a batch that is held to a rate may have a chunk open: more would wait in workers' places. */
const RATE_PER_CHUNK = 500;

export function maxOpen({ maxObjectsPerSecond }: BatchSpec): number {
  return maxObjectsPerSecond === undefined
    ? MAX_OPEN
    : Math.min(MAX_OPEN, Math.max(2, Math.ceil(maxObjectsPerSecond / RATE_PER_CHUNK)));
}
