import type { DocumentStore } from "../../../documents/interface.ts";
import { operation as copy } from "../../../batches/operations/copy/operation.ts";
import { operation as remove } from "../../../batches/operations/delete/operation.ts";
import { operation as move } from "../../../batches/operations/move/operation.ts";
import { createOutcomes } from "../../../batches/run/outcomes.ts";
import { createRequestCount } from "../../../batches/run/request-count.ts";
import { type ChunkWork, type Operation, UNLIMITED } from "../../../batches/run/work.ts";
import type { ChunkManifest } from "../../../batches/state/chunk-manifest.ts";
import { ActivityError } from "../../../model/activity-error.ts";
import { openStore } from "../../../s3/create.ts";
import { judgeRows } from "../judge/rows.ts";
import type { Scene } from "../scene.ts";
import { openModelS3 } from "../transport.ts";
import type { Batch, Verb } from "./batch.ts";
import type { BatchQueue } from "./batch-queue.ts";
import { chunksOf } from "./chunk-state.ts";

const OPERATIONS: Readonly<Record<Verb, Operation>> = { copy, delete: remove, move };
/** So long a halt waits for what is under way, in ms. */
const GRACE_MS = 1500;

type Terms = Pick<ChunkWork, "delivery" | "signal" | "deadline" | "control"> & {
  readonly batch: Batch;
  readonly manifest: ChunkManifest;
  /** In whose name requests are sent. */
  readonly by: string;
};

/** One delivery of a chunk, as the code of batches runs it: on the model's store and Redis, with rows that are judged. */
export function chunkWorkOf(scene: Scene, queue: BatchQueue, terms: Terms): ChunkWork {
  const { batch, manifest, by, delivery, signal, deadline, control } = terms;
  const s3 = openStore(openModelS3(scene.connection, scene.world, scene.store, { by }));
  return {
    batch: batch.id,
    delivery,
    spec: batch.spec,
    operation: OPERATIONS[batch.spec.operation],
    pace: { take: () => Promise.resolve(true), takeMany: (wanted) => Promise.resolve(wanted) },
    manifest,
    source: s3,
    destination: s3,
    chunks: chunksOf(scene.redis, batch),
    control,
    ending: signal,
    deadline,
    outcomes: createOutcomes(manifest),
    signal: AbortSignal.any([signal, afterGrace(control.stopping)]),
    documents: rowsJudged(async (report) => judgeRows(scene, { batch, report, by })),
    onChunk: undefined,
    replicas: undefined,
    limiter: UNLIMITED,
    concurrency: 4,
    mayTouch: () => true,
    started: new Uint8Array(manifest.keys.length),
    requests: createRequestCount(),
    ticked: { objects: 0, bytes: 0 },
    noteTrouble: () => Promise.resolve(),
    noteCutOff: () => queue.noteCutOff(batch),
    fatal: undefined,
  };
}

function afterGrace(stopping: AbortSignal): AbortSignal {
  const cut = new AbortController();
  stopping.addEventListener("abort", () => {
    setTimeout(() => cut.abort(new ActivityError("Cancelled", "the batch was cancelled or given up")), GRACE_MS);
  });
  return cut.signal;
}

/** Reports are written; nothing is read. */
function rowsJudged(write: (report: string) => Promise<void>): DocumentStore {
  const asked = { write, find: () => Promise.resolve(undefined), delete: () => Promise.resolve() };
  return asked as unknown as DocumentStore; // see above
}
