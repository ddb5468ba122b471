import { createHash } from "node:crypto";
import { DelayedError, type Job } from "bullmq";
import { LRUCache } from "lru-cache";
import { type BatchJobData, chunkJob, fairPriority, turnJobId } from "../state/queue.ts";
import type { BatchItem } from "../spec/fields.ts";
import { type BatchSpec, parseBatchSpec } from "../spec/request.ts";
import { createBatchStore } from "../state/store.ts";
import { claimRanges, releaseRanges, whileClaimed } from "../state/claim-ranges.ts";
import { createControls } from "./control.ts";
import { feedManifest } from "../listing/feed.ts";
import { type Opening, openSource, refuseItemChains, surveySource } from "../listing/open-source.ts";
import { commitPage, findPage } from "../listing/find-page.ts";
import { keepPage, keepsPages, openOnce } from "../listing/kept-page.ts";
import { backoff, isFatal, isThrottle, toError } from "./retry.ts";
import { type ChunkRef, createChunkStore, type Delivery } from "../state/chunk-store.ts";
import { type ChunkDeps, type DeleteDeadline, endsOf, isPlanning, Superseded } from "./work.ts";
import { createWorkshop } from "./workshop.ts";
import { newBatch } from "../state/create.ts";
import { healBatch } from "../state/heal.ts";

/** Chunks of a batch that may be open at once: with some 25 KB each, what a batch holds of Redis at most. */
const MAX_OPEN = 128;
/** Objects per second for which a batch that is held to a rate may have a chunk open: more would wait in workers' places. */
const RATE_PER_CHUNK = 500;
/** Until a chunk looks again whether there is room for it, in ms. */
const ROOM_MS = 500;
/** Until a schedule's run looks again whether the one before it has ended, in ms. */
const TURN_MS = 2000;
/** Runs of one schedule that wait at once; more are skipped, or a schedule faster than its batches would pile them up for ever. */
const MAX_WAITING_TURNS = 100;
/** After so many tries something that does not pass by itself fails the batch. */
const MAX_TRIES = 5;
/** Jobs whose tries are remembered at once. */
const MAX_COUNTED = 10_000;

/** What a job asks BullMQ for: nothing, or to be given again in so many ms. */
/** What one delivery of a job is held to. */
type Terms = { readonly signal: AbortSignal; readonly deadline: DeleteDeadline };

const NO_DEADLINE: DeleteDeadline = {
  deletes: new AbortController().signal,
  mayDelete: () => true,
  requireDelete: () => undefined,
};

type Again = { readonly inMs: number; readonly behind?: number } | undefined;

export type ChunkProcessor = {
  /** A BullMQ processor. The signal ends with the worker's shutdown or a lost lock. Without a deadline it is that alone which ends deletes. */
  (job: Job, token: string, signal: AbortSignal, deadline?: DeleteDeadline): Promise<void>;
  close(): void;
};

/** What a worker does with the jobs of the chunk queue. Keeps nothing between jobs but what it can find again in Redis. */
export function createChunkProcessor(deps: ChunkDeps): ChunkProcessor {
  const store = createBatchStore(deps.redis, deps.prefix);
  const chunks = createChunkStore(store);
  const controls = createControls(store);
  const workshop = createWorkshop(deps, { store, chunks, controls });
  // A job that goes on at another worker leaves its count here.
  const tries = new LRUCache<string, number>({ max: MAX_COUNTED });

  const processor = async (job: Job, token: string, signal: AbortSignal, deadline = NO_DEADLINE): Promise<void> => {
    const data = job.data as BatchJobData; // only batch-queue and schedules add jobs
    const id = job.id ?? "";
    let again: Again;
    try {
      again = await handle(data, id, { signal, deadline });
      tries.delete(id);
    } catch (thrown) {
      again = await afterFailure(data, id, { thrown, signal });
    }
    if (again === undefined) return;
    // Who had a turn comes back after all who wait, or a batch whose jobs stand first would have every turn.
    if (again.behind !== undefined) await job.changePriority({ priority: again.behind });
    await job.moveToDelayed(Date.now() + again.inMs, token);
    throw new DelayedError();
  };
  return Object.assign(processor, { close: controls.close });

  async function handle(data: BatchJobData, jobId: string, terms: Terms): Promise<Again> {
    if (data.kind === "due") return await makeTurn(data, jobId);
    if (data.kind === "turn") return await takeTurn(data);
    const spec = await store.spec(data.batch);
    if (spec === undefined) return undefined;
    if (data.kind === "open") return await open(data.batch, spec, terms.signal);
    if (data.kind === "feed") return await feed(data.batch, spec, terms.signal);
    return await work({ batch: data.batch, chain: data.chain, n: data.n }, spec, terms);
  }

  /** Nothing is lost by an error: the job comes again, or the batch fails with a reason. */
  async function afterFailure(
    data: BatchJobData,
    id: string,
    { thrown, signal }: { thrown: unknown; signal: AbortSignal },
  ): Promise<Again> {
    if (thrown instanceof Superseded) return undefined;
    if (signal.aborted) return { inMs: 0 };
    const error = toError(thrown);
    const count = (tries.get(id) ?? 0) + 1;
    tries.set(id, count);
    deps.log.warn({ job: id, err: error, tries: count }, "a batch's job will be tried again");
    if (data.kind === "due" || data.kind === "turn") return { inMs: backoff(count, { base: 1000, max: 60_000 }) };
    // A listing or an end of the batch that is refused fails every object alike; what we do not know gets some more tries.
    const hopeless =
      isFatal(error) ||
      (!error.retryable && !isThrottle(error) && (error.code !== "InternalError" || count >= MAX_TRIES));
    if (!hopeless) {
      await store.noteTrouble(data.batch, error.toJSON());
      return { inMs: backoff(count, { base: 500, max: 60_000 }) };
    }
    await failBatch(data.batch, error);
    if (data.kind !== "chunk") return undefined;
    // What was taken on still needs its outcome: the chunk comes again and finds the batch failing. What holds up even that has to pass first.
    if (count === 1) return { inMs: 0 };
    await store.noteTrouble(data.batch, error.toJSON());
    return { inMs: backoff(count, { base: 500, max: 60_000 }) };
  }

  async function failBatch(batch: string, thrown: unknown): Promise<void> {
    await store.fail(batch, toError(thrown).toJSON());
    await healBatch(store, deps.queue, batch);
    await releaseRanges(store, batch);
  }

  async function open(batch: string, spec: BatchSpec, signal: AbortSignal): Promise<Again> {
    const ends = { spec, ...(await endsOf(spec, deps)), signal };
    if ((await store.ranges(batch)).length === 0) {
      const items = JSON.parse((await store.items(batch)) ?? "[]") as BatchItem[]; // written when it was created, after parsing
      refuseItemChains(ends, items);
      const { ranges, taken } = await surveySource(ends, items, deps.documents);
      await store.note(batch, { ranges: JSON.stringify(ranges), taken: JSON.stringify(taken) });
    }
    // Before anything is listed: what the others move is not there yet, or will be gone.
    if (!spec.dryRun && !(await claimRanges(store, batch, spec))) return { inMs: TURN_MS };
    const look = (): Promise<Opening> => openSource(ends, deps);
    const kept = { batch, nonce: keepsPages(spec) ? await store.nonce(batch) : "", signal };
    await store.open(batch, keepsPages(spec) ? await openOnce(deps.documents, kept, look) : await look());
    await healBatch(store, deps.queue, batch);
    await releaseRanges(store, batch);
    return undefined;
  }

  async function feed(batch: string, spec: BatchSpec, signal: AbortSignal): Promise<Again> {
    if (!("manifest" in spec.source)) return undefined;
    const { next } = await store.chain(batch, 0);
    const end = await feedManifest(
      { batch, spec, source: spec.source, next, taken: await store.taken(batch), maxOpen: maxOpen(spec), signal },
      { ...deps, chunks },
    );
    return end === "full" ? { inMs: ROOM_MS } : undefined;
  }

  async function work(ref: ChunkRef, spec: BatchSpec, terms: Terms): Promise<Again> {
    for (;;) {
      const begun = await chunks.begin(ref, maxOpen(spec));
      if (begun.what === "full") return { inMs: ROOM_MS };
      if (begun.what === "work") {
        // Whoever had it before may have died between its commit and the next job.
        await keepPage(deps.documents, begun.delivery, { again: true, signal: terms.signal });
        await healBatch(store, deps.queue, ref.batch);
        return await workOn(begun.delivery, spec, terms);
      }
      if (begun.what !== "list") return undefined;
      const source = await deps.s3For(spec.credentials, "list-objects", spec);
      const page = await findPage(
        { ref, spec, begun },
        { store, documents: deps.documents, source, signal: terms.signal },
      );
      const committed = await commitPage(chunks, { ref, spec, run: begun.run, page, work: true });
      if (committed.what === "adopted") continue;
      if (committed.what !== "committed") return undefined;
      const { delivery } = committed;
      if (delivery !== undefined && page.kept !== true)
        await keepPage(deps.documents, delivery, { signal: terms.signal });
      if (!committed.last)
        await deps.queue.add([
          chunkJob(ref.batch, { chain: ref.chain, n: ref.n + 1 }, fairPriority(committed.priority, false)),
        ]);
      return delivery === undefined ? undefined : await workOn(delivery, spec, terms);
    }
  }

  async function workOn(delivery: Delivery, spec: BatchSpec, terms: Terms): Promise<Again> {
    const { batch } = delivery.ref;
    // What a cancelled batch still has to say needs nothing but looks.
    if (delivery.state === "running" && !isPlanning(delivery) && !(await claimRanges(store, batch, spec))) {
      await chunks.park(delivery);
      return { inMs: TURN_MS };
    }
    const fail = (error: unknown): Promise<void> => failBatch(batch, error);
    const end = await whileClaimed(store, batch, () => workshop({ delivery, spec, ...terms, fail }));
    if (end.what === "finished") await releaseRanges(store, batch);
    return end.what === "yielded" ? { inMs: end.inMs, behind: fairPriority(end.priority, false) } : undefined;
  }

  /** The scheduler's own job must not wait, as BullMQ makes the next one from it; so a job of its own does. */
  async function makeTurn(
    { schedule, spec, overlap }: Extract<BatchJobData, { kind: "due" }>,
    jobId: string,
  ): Promise<Again> {
    // Named after the run of the schedule, so that a second delivery of the job starts no second batch.
    const batch = `s${createHash("sha256").update(`${deps.prefix}\n${jobId}`).digest("hex").slice(0, 23)}`;
    const data = { kind: "turn", batch, schedule, spec, overlap } as const;
    await deps.queue.add([{ id: turnJobId(batch), data, priority: fairPriority(1, true) }]);
    return undefined;
  }

  async function takeTurn({ batch, schedule, spec, overlap }: Extract<BatchJobData, { kind: "turn" }>): Promise<Again> {
    const request = newBatch({ id: batch, spec: parseBatchSpec(spec) });
    const turn = await store.takeTurn({ schedule, overlap, maxWaiting: MAX_WAITING_TURNS }, request);
    if (turn === "wait") return { inMs: TURN_MS };
    if (turn === "skip") return undefined;
    await healBatch(store, deps.queue, batch);
    return undefined;
  }
}

function maxOpen({ maxObjectsPerSecond }: BatchSpec): number {
  return maxObjectsPerSecond === undefined
    ? MAX_OPEN
    : Math.min(MAX_OPEN, Math.max(2, Math.ceil(maxObjectsPerSecond / RATE_PER_CHUNK)));
}
