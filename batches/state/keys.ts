import { z } from "zod";
import { redisKeys } from "../../redis/keys.ts";

/** The most chains a batch is spread over: bit `n * MAX_CHAINS + chain` of its bitmaps stands for chunk `n` of a chain. */
export const MAX_CHAINS = 16;

/** The keys of one batch, after the record's own: each is the record's name and a word. */
const PARTS = [
  "open",
  "busy",
  "live",
  "done",
  "segments",
  "retaken",
  "errors",
  "recent",
  "rate",
  "tokens",
  "items",
  "plan",
] as const;
/** The keys of all batches together. */
const SHARED = ["active", "index", "ended"] as const;

/** The keys that every script of a batch is given, by their names in it; see scripts/batch.lua. */
export const BATCH_KEYS = ["record", ...PARTS, ...SHARED] as const;
export type BatchKeys = Readonly<Record<(typeof BATCH_KEYS)[number], string>>;

/** Which bit of the bitmaps `done` and `segments` is a chunk's. */
export function bitOf(chain: number, n: number): number {
  return n * MAX_CHAINS + chain;
}

/** The id of a batch; beside the records of batches Redis holds one key that only looks like one. */
export const BatchId = z
  .string()
  .regex(/^(?!watchdog$)[a-z0-9]{8,64}$/, { error: "expected the id of a batch" })
  .meta({ description: "Id of the batch" });

/**
 * The keys of batches. The record is a hash; beside it are, while the batch runs: `open` and `busy` (sets of chunk names),
 * `live` (hash: what running chunks have done so far), and one hash for each open chunk. A few small ones stay until the record expires.
 */
export function batchKeys(prefix: string) {
  const root = redisKeys(prefix).batches();
  const record = (id: string) => `${root}:${id}`;
  return {
    record,
    /** Keys of every script: the record and what belongs to it, then the sets of all batches. */
    ofBatch: (id: string): BatchKeys => ({
      record: record(id),
      ...named(PARTS, (part) => `${record(id)}:${part}`),
      ...named(SHARED, (part) => `${root}:${part}`),
    }),
    live: (id: string) => `${record(id)}:live`,
    segments: (id: string) => `${record(id)}:segments`,
    retaken: (id: string) => `${record(id)}:retaken`,
    errors: (id: string) => `${record(id)}:errors`,
    recent: (id: string) => `${record(id)}:recent`,
    rate: (id: string) => `${record(id)}:rate`,
    items: (id: string) => `${record(id)}:items`,
    /** Hash of an open chunk: `m` manifest, `k` deliveries, `o` owner, `g<n>` checkpoints, `x` conflicts, `u<index>` uploads. */
    chunk: (id: string, name: string) => `${record(id)}:chunk:${name}`,
    /** Sorted set of batches that have not ended, by creation in ms. */
    active: () => `${root}:active`,
    /** Sorted set of all batches, by creation in ms. */
    index: () => `${root}:index`,
    /** Hash of how many batches ended, by state; it only grows. */
    ended: () => `${root}:ended`,
    watchdog: () => `${root}:watchdog`,
    /** Hash of a schedule: `last` batch it started, `skipped` times, `skippedAt`. */
    schedule: (name: string) => `${root}:schedule:${name}`,
    /** Set of runs of a schedule that wait for their turn. */
    waiting: (name: string) => `${root}:waiting:${name}`,
  };
}

/** `<chain>-<n>`. */
export function chunkName(chain: number, n: number): string {
  return `${chain}-${n}`;
}

function named<Name extends string>(names: readonly Name[], of: (name: Name) => string): Record<Name, string> {
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Record<Name, string>; // one for each name
}
