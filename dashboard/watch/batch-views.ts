import type { RedisClient } from "../../redis/connection/client.ts";
import { findVerb } from "../../batches/operations.ts";
import { type BatchState, type BatchStatus, isAtRest, liveCounts } from "../../batches/state/status.ts";
import { type BatchStore, createBatchStore } from "../../batches/state/store.ts";
import { isForeign, unlessForeign } from "../../redis/foreign.ts";
import { redact } from "../redact.ts";
import { lastAct } from "../../producer/audit/log.ts";
import { CHUNK_QUEUE } from "../../jobs/queues.ts";
import { redisKeys } from "../../redis/keys.ts";
import { keptFor, keptForEach } from "./kept-for.ts";
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
/** Ids read at once. */
const PAGE = 500;
/** Batches that are shown at a glance. */
const GLANCE = 8;
const STEP_MS = 5000;
/** Two whole steps of the record. */
const SPEED_WINDOW_MS = 2 * STEP_MS;

export type BatchViews = ReturnType<typeof createBatchViews>;

export function createBatchViews(redis: RedisClient, prefix: string) {
  const store: BatchStore = createBatchStore(redis, prefix);
  const crowd = keptFor(FRESH_MS, () => readCrowd(redis, prefix, store));
  const view = async (status: BatchStatus): Promise<BatchView> => {
    if (isAtRest(status.state)) return viewOf(status, { objects: 0, bytes: 0 }, []);
    const paused = status.state === "paused" || status.state === "pausing";
    const [steps, others, pausedBy] = await Promise.all([
      store.throughput(status.id),
      crowd(),
      paused ? lastAct(redis, redisKeys(prefix), { kind: "batch", id: status.id, action: "batch.pause" }) : undefined,
    ]);
    const speed = speedOf(steps, { now: Date.now(), begun: Date.parse(status.startedAt ?? status.createdAt) });
    return viewOf(status, speed, holdsOf(status, speed.objects, others, pausedBy));
  };
  const viewsOf = async (ids: readonly string[]): Promise<BatchView[]> => {
    // One that cannot be read hides no other.
    const found = await Promise.all(
      ids.map(async (id) =>
        unlessForeign(
          store.status(id).then((status) => status && view(status)),
          undefined,
        ),
      ),
    );
    return found.filter((each) => each !== undefined);
  };
  const statesOf = (ids: readonly string[]) => readStates(redis, store, ids);
  const one = async (id: string): Promise<BatchView | undefined> => {
    const [status, wanted] = await Promise.all([store.status(id), store.wanted(id)]);
    if (status === undefined) return undefined;
    const chain = wanted && { openChunks: wanted.chunks.length, listing: wanted.nexts.length, feeding: wanted.feed };
    return { ...(await view(status)), ...(chain && !isAtRest(status.state) && { chain }) };
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
    /** A page, newest first. Those of another state cost no more than a look at their state. */
    list: (options: ListOptions) => list({ store, statesOf, viewsOf }, options),
    /** The last hour, in steps of five seconds. */
    throughput: (id: string): Promise<readonly BatchBucket[]> => store.throughput(id),
    /** The newest of those that have not come to rest, and how many there are in each state. */
    active: async (): Promise<{
      readonly batches: readonly BatchView[];
      readonly total: number;
      readonly kept: number;
    }> => {
      const [ids, kept] = await Promise.all([store.active(), redis.zcard(store.keys.index())]);
      const batches = await viewsOf(ids.slice(-GLANCE).toReversed());
      return { batches, total: ids.length, kept };
    },
    /** States of the batches that have not come to rest, and their objects by outcome. */
    tally: () => tally(redis, store),
  };
}

type Reads = {
  readonly store: BatchStore;
  readonly statesOf: (ids: readonly string[]) => Promise<unknown[]>;
  readonly viewsOf: (ids: readonly string[]) => Promise<BatchView[]>;
};

async function readStates(redis: RedisClient, store: BatchStore, ids: readonly string[]): Promise<unknown[]> {
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hget(store.keys.record(id), "state");
  return ((await pipeline.exec()) ?? []).map(([error, state]) => {
    if (error && !isForeign(error)) throw error;
    return error ? undefined : state;
  });
}

async function list({ store, statesOf, viewsOf }: Reads, { state, limit, cursor }: ListOptions): Promise<BatchPage> {
  const ids: string[] = [];
  let [before = "+inf", after] = cursor?.split(".") ?? [];
  for (;;) {
    const page = await store.page(before, PAGE);
    const fresh = after === undefined ? page : page.slice(page.findIndex(({ id }) => id === after) + 1);
    const states = state === undefined ? [] : await statesOf(fresh.map(({ id }) => id));
    for (const [index, { id, createdAt }] of fresh.entries()) {
      before = createdAt;
      after = id;
      if (state === undefined || states[index] === state) ids.push(id);
      if (ids.length === limit) return { batches: await viewsOf(ids), next: `${createdAt}.${id}` };
    }
    if (page.length < PAGE || fresh.length === 0) return { batches: await viewsOf(ids) };
  }
}

async function tally(redis: RedisClient, store: BatchStore): Promise<BatchTally> {
  const ids = await store.active();
  const pipeline = redis.pipeline();
  pipeline.hgetall(store.keys.ended());
  for (const id of ids) {
    pipeline.hmget(store.keys.record(id), "state", "listed", "succeeded", "failed", "skipped");
    // What chunks in work have done so far: a slow batch moves for minutes before the first of them is counted.
    pipeline.hvals(store.keys.live(id));
  }
  const states: Record<string, number> = {};
  const objects = { listed: 0, succeeded: 0, failed: 0, skipped: 0 };
  const replies = ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error && !isForeign(error)) throw error;
    return error ? [] : reply;
  });
  const ended = replies.shift() as Readonly<Record<string, string>>; // HGETALL's reply, or none
  for (let at = 0; at < replies.length; at += 2) {
    const [state, ...counts] = replies[at] as (string | null)[]; // HMGET's reply
    const live = replies[at + 1] as readonly string[]; // HVALS' reply
    if (!state) continue;
    states[state] = (states[state] ?? 0) + 1;
    for (const [index, name] of (["listed", "succeeded", "failed", "skipped"] as const).entries())
      objects[name] += amount(counts[index]);
    const working = liveCounts(live);
    for (const name of ["succeeded", "failed", "skipped"] as const) objects[name] += amount(working[name]);
  }
  return { states, objects, ended: Object.fromEntries(Object.entries(ended).map(([at, n]) => [at, amount(n)])) };
}

/** A count; nothing where something else was written in its place. */
function amount(given: string | number | null | undefined): number {
  const count = Number(given ?? 0);
  return Number.isFinite(count) && count > 0 ? count : 0;
}

export type BatchTally = {
  readonly states: Readonly<Record<string, number>>;
  readonly objects: Readonly<Record<"listed" | "succeeded" | "failed" | "skipped", number>>;
  /** Batches that ended since ever, by state. */
  readonly ended: Readonly<Record<string, number>>;
};

/** Who works on batches, and on which. */
async function readCrowd(redis: RedisClient, prefix: string, store: BatchStore): Promise<Crowd> {
  const [workers, ids, paused] = await Promise.all([
    unlessForeign(readWorkers(redis, prefix), []),
    store.active(),
    redis.hexists(redisKeys(prefix).job(CHUNK_QUEUE, "meta"), "paused"),
  ]);
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.scard(store.keys.ofBatch(id).busy);
  const counts = ((await pipeline.exec()) ?? []).map(([error, count]) => {
    if (error && !isForeign(error)) throw error;
    return error ? 0 : Number(count);
  });
  const slots = workers
    .filter(({ activities }) => activities.includes(CHUNK_QUEUE))
    .reduce((sum, { concurrency }) => sum + (concurrency["batches"] ?? 0), 0);
  const busy = new Map(ids.map((id, index) => [id, counts[index] ?? 0] as const).filter(([, chunks]) => chunks > 0));
  return { slots, queuePaused: paused === 1, busy };
}

function viewOf(
  status: BatchStatus,
  speed: { readonly objects: number; readonly bytes: number },
  holds: readonly Hold[],
): BatchView {
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

/** Per second, over the steps that lie in the window; the one that is filling counts for as long as it has run. */
function speedOf(
  buckets: readonly BatchBucket[],
  { now, begun }: { readonly now: number; readonly begun: number },
): { objects: number; bytes: number } {
  const start = Math.floor(now / STEP_MS) * STEP_MS - SPEED_WINDOW_MS;
  const recent = buckets.filter(({ at }) => Date.parse(at) >= start);
  // One that has just begun did nothing before, and that says nothing of its speed.
  const seconds = Math.max(1000, now - Math.max(start, begun)) / 1000;
  const sum = (field: "objects" | "bytes") => recent.reduce((total, bucket) => total + bucket[field], 0) / seconds;
  return { objects: sum("objects"), bytes: sum("bytes") };
}
