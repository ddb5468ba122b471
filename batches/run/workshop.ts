import { ActivityError } from "../../model/activity-error.ts";
import { operations, verbOf } from "../operations.ts";
import type { BatchSpec } from "../spec/request.ts";
import type { BatchStore } from "../state/store.ts";
import type { ChunkControl, ChunkControls } from "./control.ts";
import { type ChunkManifest, bucketAt, decodeManifest } from "../state/chunk-manifest.ts";
import { finishChunk, giveUp } from "./finish.ts";
import { createOutcomes } from "./outcomes.ts";
import { createPace } from "./pace.ts";
import { planChunk } from "./plan.ts";
import { type ChunkEnd, runChunk } from "./chunk.ts";
import type { RequestCount } from "./request-count.ts";
import type { ChunkStore, Delivery } from "../state/chunk-store.ts";
import {
  type ChunkDeps,
  type ChunkWork,
  type DeleteDeadline,
  destinationKeyAt,
  endsOf,
  isPlanning,
  UNLIMITED,
} from "./work.ts";

/** How long requests under way may go on after a pause or cancel, in ms. */
const HALT_MS = 1500;
const CONCURRENCY = 64;

type Order = {
  readonly delivery: Delivery;
  readonly spec: BatchSpec;
  readonly requests: RequestCount;
  /** The job's. */
  readonly signal: AbortSignal;
  readonly deadline: DeleteDeadline;
  readonly fail: (error: unknown) => Promise<void>;
};

/** Works on one delivery of a chunk. */
export type Workshop = (order: Order) => Promise<ChunkEnd>;

/** Puts together what one delivery of a chunk works with, and takes it apart afterwards. */
export function createWorkshop(
  deps: ChunkDeps,
  {
    store,
    chunks,
    controls,
  }: { readonly store: BatchStore; readonly chunks: ChunkStore; readonly controls: ChunkControls },
): Workshop {
  return async ({ delivery, spec, requests, signal: ending, deadline, fail }) => {
    const manifest = await decodeManifest(delivery.manifest);
    const { operation } = await operations[spec.operation].load();
    const { source, destination } = await endsOf(spec, deps, requests.sent);
    const mayTouch = await policyOf(deps, spec, manifest);
    const { batch } = delivery.ref;
    const control = controls.watch(batch, { rate: spec.maxObjectsPerSecond });
    const cut = new AbortController();
    let cutTimer: NodeJS.Timeout | undefined;
    control.stopping.addEventListener("abort", () => {
      cutTimer = setTimeout(() => cut.abort(haltReason(control)), HALT_MS);
    });
    const signal = AbortSignal.any([ending, cut.signal]);
    const work: ChunkWork = {
      batch,
      operation,
      delivery,
      spec,
      manifest,
      source,
      destination,
      chunks,
      control,
      ending,
      deadline,
      outcomes: createOutcomes(manifest),
      signal,
      pace: createPace(store, { batch, control, signal }),
      documents: deps.documents,
      replicas: deps.replicas,
      onChunk: deps.onChunk,
      limiter: destination.limiter ?? UNLIMITED,
      concurrency: deps.concurrency ?? CONCURRENCY,
      mayTouch,
      started: new Uint8Array(manifest.keys.length),
      requests,
      ticked: { objects: 0, bytes: 0 },
      noteCutOff: () => store.noteCutOff(batch),
      noteTrouble: (error) => store.noteTrouble(batch, error.toJSON()),
      fatal: undefined,
    };
    try {
      if (isPlanning(delivery)) return await planOrCancel(work);
      return await runChunk(work, fail);
    } finally {
      clearTimeout(cutTimer);
      control.release();
    }
  };
}

/** A pause is not the end of an upload in parts; a cancel is. */
function haltReason({ halted }: ChunkControl): ActivityError {
  if (halted === "pause" || halted === "yield")
    return new ActivityError("BatchPaused", "the batch was paused; the object is copied when it goes on", {
      retryable: true,
    });
  return new ActivityError("Cancelled", "the batch was cancelled or given up");
}

/** A dry run touches nothing, so a cancel only has to count. */
async function planOrCancel(work: ChunkWork): Promise<ChunkEnd> {
  work.control.learn(work.delivery.state);
  const { halted } = work.control;
  if (halted !== "cancel" && halted !== "fail") await planChunk(work);
  else {
    await giveUp(work, halted);
    await finishChunk(work);
  }
  return { what: "finished" };
}

/** Both ends of every object, each by the policy of the credentials it is touched with. */
async function policyOf(
  deps: ChunkDeps,
  spec: BatchSpec,
  manifest: ChunkManifest,
): Promise<(index: number) => boolean> {
  const activity = verbOf(spec).access;
  const buckets = [...new Set(typeof manifest.bucket === "string" ? [manifest.bucket] : manifest.bucket)];
  const sources = new Map(
    await Promise.all(
      buckets.map(async (bucket) => [bucket, await deps.allowed(spec.credentials, activity, bucket)] as const),
    ),
  );
  const to = spec.destination;
  const mayWrite = to && (await deps.allowed(to.credentials ?? spec.credentials, activity, to.bucket));
  return (index) => {
    const mayRead = sources.get(bucketAt(manifest, index));
    if (mayRead?.(manifest.keys[index] ?? "") !== true) return false;
    return mayWrite === undefined || mayWrite(destinationKeyAt({ spec, manifest }, index) ?? "");
  };
}
