import type { BatchStore } from "../../batches/state/store.ts";
import type { RedisClient } from "../../redis/connection/client.ts";
import { keptFor } from "../watch/kept-for.ts";
import type { RedisClock } from "../watch/redis-clock.ts";
import type { Overview } from "../watch/overview.ts";
import { type BatchProblem, readBatchGroups } from "./batch-groups.ts";
import { readFailureGroups } from "./failure-groups.ts";
import { problemOfWorker, readLostWorkers } from "./lost-workers.ts";
import { createNotes } from "./notes.ts";
import { unlessForeign } from "../../redis/foreign.ts";
import type { Problem } from "./interface.ts";
import { standingProblems } from "./standing.ts";

/** However many look, Redis is asked so often at most. */
const FRESH_MS = 1500;

export type ProblemDeps = {
  readonly redis: RedisClient;
  readonly clock: RedisClock;
  readonly prefix: string;
  readonly store: BatchStore;
  readonly overview: { read(): Promise<Overview> };
  /** Problems that are found elsewhere. */
  readonly others?: readonly (() => Promise<readonly Problem[]>)[];
};

export type Problems = ReturnType<typeof createProblems>;

/** All that needs somebody, the newest and worst first. */
export function createProblems({ redis, prefix, clock, store, overview, others = [] }: ProblemDeps) {
  const notes = createNotes(redis, prefix);
  const batches = keptFor(FRESH_MS, () => readBatchGroups(store));
  const found = keptFor(FRESH_MS, async (): Promise<readonly Problem[]> => {
    const now = await clock();
    const [groups, ofBatches, lost, standing, more] = await Promise.all([
      unlessForeign(readFailureGroups(redis, prefix, now), []),
      unlessForeign(batches(), []),
      unlessForeign(readLostWorkers(redis, prefix, now), []),
      overview.read().then(standingProblems),
      Promise.all(others.map((read) => unlessForeign(read(), []))),
    ]);
    return [
      ...standing,
      ...groups,
      ...ofBatches.map(({ problem }) => problem),
      ...lost.map(problemOfWorker),
      ...more.flat(),
    ];
  });
  const list = async (): Promise<Problem[]> => {
    const all = await found();
    return (await unlessForeign(notes.addTo(all), [...all])).toSorted(byUrgency);
  };
  return {
    notes,
    list,
    one: async (id: string): Promise<Problem | undefined> => (await list()).find((problem) => problem.id === id),
    /** The batches of a problem that is made of batches. */
    batchesOf: async (id: string): Promise<BatchProblem["batches"]> =>
      (await batches()).find(({ problem }) => problem.id === id)?.batches ?? [],
    /** How many are open to somebody: neither acknowledged nor muted. */
    count: async (): Promise<number> => (await list()).filter(isOpen).length,
  };
}

export const isOpen = ({ acknowledged, muted }: Problem): boolean => acknowledged === undefined && muted === undefined;

const rank = (problem: Problem) =>
  (problem.muted ? 4 : problem.acknowledged ? 2 : 0) + (problem.severity === "danger" ? 0 : 1);

/** What nobody has seen yet, then what is dangerous, then what happened last. Standing problems have no time: they are now. */
function byUrgency(a: Problem, b: Problem): number {
  return rank(a) - rank(b) || (b.lastSeen ?? "9").localeCompare(a.lastSeen ?? "9");
}
