import type { BatchSpec } from "../../../batches/spec/request.ts";
import type { ChunkManifest } from "../../../batches/state/chunk-manifest.ts";
import type { BatchState } from "../../../batches/state/status.ts";
import type { LeasedRange } from "../../../redis/leases.ts";

/** What the model's batches do. */
export type Verb = BatchSpec["operation"];

/** A batch of one chunk: what its keys are, and who works on it. */
export type Batch = {
  readonly id: string;
  readonly spec: BatchSpec;
  readonly ranges: readonly LeasedRange[];
  state: BatchState;
  /** What was listed, once it was. */
  manifest: ChunkManifest | undefined;
  /** By key: the generation that was listed. */
  pinned: Map<string, number>;
  delivery: number;
  /** The delivery that may write of the chunk. */
  owner: string;
  groups: string[];
  remembered: Map<string, string>;
  /** Given to a delivery that has not given it back. */
  busy: boolean;
  lockedUntil: number;
  token: string;
  delayedUntil: number;
  /** When a delete of it had no answer. */
  cutOffAt: number;
};

export function newBatch(id: string, spec: BatchSpec, ranges: readonly LeasedRange[]): Batch {
  return {
    id,
    spec,
    ranges,
    state: "running",
    manifest: undefined,
    pinned: new Map(),
    delivery: 0,
    owner: "",
    groups: [],
    remembered: new Map(),
    busy: false,
    lockedUntil: 0,
    token: "",
    delayedUntil: 0,
    cutOffAt: -Infinity,
  };
}

/** How the names of all its deliveries begin. */
export const batchName = ({ id, spec }: Batch): string => `${spec.operation}-batch ${id} `;

/** Whose a request is; with what it may write over. */
export const deliveryName = (batch: Batch, token: string): string =>
  `${batchName(batch)}${token} ${batch.spec.onConflict}`;
