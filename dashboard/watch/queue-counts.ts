import type { RedisClient } from "../../redis/connection/client.ts";
import { activityNames } from "../../jobs/contracts.ts";
import { CHUNK_QUEUE } from "../../jobs/queues.ts";
import { isForeign } from "../../redis/foreign.ts";
import { redisKeys } from "../../redis/keys.ts";
import { loadScript } from "../../redis/scripts/load.ts";
import { queueScript } from "../../redis/scripts/run.ts";

/** How a queue is filled. */
export type QueueCounts = {
  readonly name: string;
  /** Ready to be taken, prioritized ones and delayed ones whose time has come too. */
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  /** Finished jobs that Redis still knows. */
  readonly completed: number;
  readonly failed: number;
  readonly paused: boolean;
  /** For how long the job that is next has been ready, in milliseconds; undefined where none waits. */
  readonly oldestWaitingMs?: number;
  /** Jobs that ended in the last {@link RATE_WINDOW_MS}, for each second. */
  readonly completedPerSecond: number;
  readonly failedPerSecond: number;
};

/** Of a queue in whose place something of another type lies, nobody knows anything. */
const NOTHING = [0, 0, 0, 0, 0, 0, "", 0, 0] as const;

/** All queues; `foreign` are the names of those that cannot be counted. */
export type CountedQueues = { readonly queues: readonly QueueCounts[]; readonly foreign: readonly string[] };

export const queueNames: readonly string[] = [...activityNames, CHUNK_QUEUE];

/** Long enough for a steady figure, short enough to be live. */
export const RATE_WINDOW_MS = 10_000;

const SETS = ["wait", "active", "delayed", "prioritized", "completed", "failed", "meta", "paused"] as const;
type Counted = (typeof SETS)[number];
const countQueue = loadScript(new URL("./scripts/count-queue.lua", import.meta.url), {
  keys: SETS,
  args: ["jobs", "since", "now"],
});

/** Counts all queues in one round trip. */
export async function readQueueCounts(redis: RedisClient, prefix: string, now = Date.now()): Promise<CountedQueues> {
  const keys = redisKeys(prefix);
  const pipeline = redis.pipeline();
  for (const name of queueNames) {
    const sets = Object.fromEntries(SETS.map((set) => [set, keys.job(name, set)])) as Record<Counted, string>; // of these very names
    queueScript(pipeline, countQueue, sets, { jobs: keys.job(name, ""), since: now - RATE_WINDOW_MS, now });
  }
  const replies = (await pipeline.exec()) ?? [];
  const foreign: string[] = [];
  const queues = queueNames.map((name, index) => {
    const [error, reply] = replies[index] ?? [new Error("no reply"), undefined];
    if (error && !isForeign(error)) throw error;
    if (error) foreign.push(name);
    return countsOf(name, error ? NOTHING : (reply as (number | string)[]), now); // as the script returns it
  });
  return { queues, foreign };
}

function countsOf(name: string, reply: readonly (number | string)[], now: number): QueueCounts {
  const [waiting = 0, active = 0, delayed = 0, completed = 0, failed = 0, paused, oldest, ended, lost] =
    reply.map(Number);
  return {
    name,
    waiting,
    active,
    delayed,
    completed,
    failed,
    paused: paused === 1,
    ...(oldest !== undefined && oldest > 0 && { oldestWaitingMs: Math.max(0, now - oldest) }),
    completedPerSecond: (ended ?? 0) / (RATE_WINDOW_MS / 1000),
    failedPerSecond: (lost ?? 0) / (RATE_WINDOW_MS / 1000),
  };
}
