import type { RedisClient } from "../../redis/connection/client.ts";
import { findVerb } from "../../batches/operations.ts";
import { batchOfJob } from "../../batches/state/queue.ts";
import { type BatchState, type BatchStatus, isAtRest } from "../../batches/state/status.ts";
import { type BatchStore, createBatchStore } from "../../batches/state/store.ts";
import { unlessForeign } from "../../redis/foreign.ts";
import { redact } from "../redact.ts";
import { lastAct } from "../../producer/audit/log.ts";
import { CHUNK_QUEUE } from "../../jobs/queues.ts";
import { redisKeys } from "../../redis/keys.ts";
import { glanceAtBatches } from "./glance.ts";
import { keptFor, keptForEach } from "./kept-for.ts";
import { pickBatches } from "./pick-batches.ts";
import type { RedisClock } from "./redis-clock.ts";
import { readSpeeds, type Speed, STANDS } from "./speeds.ts";
import { tallyBatches } from "./tally-batches.ts";
import { type Crowd, type Hold, holdsOf } from "./why-slow.ts";
import { readWorkers } from "./workers.ts";

/** What a batch got done in one stretch of time. */
export type BatchBucket = { readonly at: string; readonly objects: number; readonly bytes: number };

/** A batch, and how fast it goes. Secrets are taken out. */
export type BatchView = BatchStatus & {
  /** What becomes of the objects that it names. */
  readonly sources: "kept" | "deleted";
  /** Over the last ten seconds; 0 for a batch at rest. */
  readonly objectsPerSecond: number;
  readonly bytesPerSecond: number;
  /** How its chains stand; only of a batch that is looked at by itself, until it is at rest. */
  readonly chain?: {
    /** Chunks that were listed and are not finished. */
    readonly openChunks: number;
    /** Chains that go on listing. */
    readonly listing: number;
    /** The manifest is still being read. */
    readonly feeding: boolean;
  };
  /** Why it does not go faster. */
  readonly holds: readonly Hold[];
  /** Seconds to go, where the number of objects is known and something moves. */
  readonly etaSeconds?: number;
};

type ListOptions = {
  readonly state?: BatchState | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
};
type BatchPage = { readonly batches: readonly BatchView[]; readonly next?: string };

/** A batch as its followers see it. */
export type LiveBatch = { readonly batch: BatchView; readonly buckets: readonly BatchBucket[] };

/** However many follow a batch, Redis is asked so often at most. */
const FRESH_MS = 900;
/** Jobs of batches that workers have in work at once: more than there are slots. */
const MOST_IN_WORK = 5000;

export type BatchViews = ReturnType<typeof createBatchViews>;

export function createBatchViews(redis: RedisClient, prefix: string, clock: RedisClock) {
  const store: BatchStore = createBatchStore(redis, prefix);
  const crowd = keptFor(FRESH_MS, async () => readCrowd(redis, prefix, await clock()));
  const viewsFor = (statuses: readonly BatchStatus[]) => viewsTogether({ redis, prefix, store, crowd }, statuses);
  const viewsOf = async (ids: readonly string[]) => viewsFor(await store.statuses(ids));
  const one = async (id: string): Promise<BatchView | undefined> => {
    const [status, wanted] = await Promise.all([store.status(id), store.wanted(id)]);
    if (status === undefined) return undefined;
    const chain = wanted && { openChunks: wanted.chunks.length, listing: wanted.nexts.length, feeding: wanted.feed };
    const [view] = await viewsFor([status]);
    return view && { ...view, ...(chain && !isAtRest(status.state) && { chain }) };
  };
  return {
    one,
    /** Of so many, in their order. */
    of: viewsOf,
    /** A batch and its newest steps, at most a second old: one look for all who follow it. */
    live: keptForEach(FRESH_MS, async (id): Promise<LiveBatch | undefined> => {
      const batch = await one(id);
      return batch && { batch, buckets: (await store.throughput(id)).slice(-3) };
    }),
    /** A page, newest first. Those of another state cost Redis a look, and nobody else anything. */
    list: async ({ state, limit, cursor }: ListOptions): Promise<BatchPage> => {
      const [before = "+inf", after = ""] = cursor?.split(".") ?? [];
      const states = state === undefined ? undefined : [state];
      const { ids, next } = await pickBatches(store, { states }, { from: { before, after }, limit });
      return { batches: await viewsOf(ids), ...(next && { next: `${next.before}.${next.after}` }) };
    },
    /** The last hour, in steps of five seconds. */
    throughput: (id: string): Promise<readonly BatchBucket[]> => store.throughput(id),
    /** Some of those that have not come to rest, how many such there are, and how many in all. */
    active: async (): Promise<{
      readonly batches: readonly BatchView[];
      readonly total: number;
      readonly kept: number;
    }> => {
      const [{ ids, total }, kept] = await Promise.all([glanceAtBatches(store), redis.zcard(store.keys.index())]);
      return { batches: await viewsOf(ids), total, kept };
    },
    /** States of the batches that have not come to rest, and their objects by outcome. */
    tally: () => tallyBatches(store),
  };
}

type Sources = {
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly store: BatchStore;
  readonly crowd: () => Promise<Crowd>;
};

/** Views of so many statuses, in their order: some round trips for all of them together. */
async function viewsTogether(
  { redis, prefix, store, crowd }: Sources,
  statuses: readonly BatchStatus[],
): Promise<BatchView[]> {
  const moving = statuses.filter(({ state }) => !isAtRest(state));
  if (moving.length === 0) return statuses.map((status) => viewOf(status, STANDS, []));
  const [speeds, others, acts] = await Promise.all([
    readSpeeds(redis, store, moving),
    crowd(),
    Promise.all(moving.map((status) => pausedBy(redis, prefix, status))),
  ]);
  const at = new Map(moving.map(({ id }, index) => [id, index]));
  return statuses.map((status) => {
    const index = at.get(status.id);
    if (index === undefined) return viewOf(status, STANDS, []);
    const speed = speeds[index] ?? STANDS;
    return viewOf(status, speed, holdsOf(status, speed.objects, others, acts[index]));
  });
}

/** Who paused it, where somebody did. */
async function pausedBy(redis: RedisClient, prefix: string, { id, state }: BatchStatus) {
  if (state !== "paused" && state !== "pausing") return undefined;
  const asked = { kind: "batch", id, action: "batch.pause" };
  return unlessForeign(lastAct(redis, redisKeys(prefix), asked), undefined);
}

/** Who works on batches, and on which. */
async function readCrowd(redis: RedisClient, prefix: string, now: number): Promise<Crowd> {
  const chunks = (set: string) => redisKeys(prefix).job(CHUNK_QUEUE, set);
  const [workers, jobs, paused] = await Promise.all([
    unlessForeign(readWorkers(redis, prefix, now), []),
    unlessForeign(redis.lrange(chunks("active"), 0, MOST_IN_WORK - 1), []),
    unlessForeign(redis.hexists(chunks("meta"), "paused"), 0),
  ]);
  const slots = workers
    .filter(({ activities }) => activities.includes(CHUNK_QUEUE))
    .reduce((sum, { concurrency }) => sum + (concurrency["batches"] ?? 0), 0);
  const busy = new Map<string, number>();
  for (const batch of jobs.map(batchOfJob)) if (batch !== undefined) busy.set(batch, (busy.get(batch) ?? 0) + 1);
  return { slots, queuePaused: paused === 1, busy };
}

function viewOf(status: BatchStatus, speed: Speed, holds: readonly Hold[]): BatchView {
  const ended = status.succeeded + status.failed + status.skipped + status.unattempted;
  const left = status.total === undefined ? undefined : Math.max(0, status.total - ended);
  const eta = left !== undefined && speed.objects > 0 ? { etaSeconds: Math.round(left / speed.objects) } : {};
  // Redacting keeps the shape: only secrets become other text.
  const sources = findVerb(status.operation)?.source.ends ?? "kept";
  return {
    ...(redact(status) as BatchStatus),
    sources,
    holds,
    objectsPerSecond: speed.objects,
    bytesPerSecond: speed.bytes,
    ...eta,
  };
}
