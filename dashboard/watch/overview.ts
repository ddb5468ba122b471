import type { RedisClient } from "../../redis/connection/client.ts";
import { redisKeys } from "../../redis/keys.ts";
import { VERSION } from "../../model/version.ts";
import type { BatchView, BatchViews } from "./batch-views.ts";
import { unlessForeign } from "../../redis/foreign.ts";
import { keptFor } from "./kept-for.ts";
import { type QueueCounts, readQueueCounts } from "./queue-counts.ts";
import type { RedisClock } from "./redis-clock.ts";
import { readRedisHealth, type RedisHealth, type Warning } from "./redis-health.ts";
import { readWorkers, type WorkerView } from "./workers.ts";

/** Everything at a glance, at one moment. */
export type Overview = {
  /** ISO 8601, by Redis' clock. */
  readonly at: string;
  /** Of the dashboard. */
  readonly version: string;
  readonly queues: readonly QueueCounts[];
  readonly workers: readonly WorkerView[];
  readonly redis: RedisHealth;
  readonly quarantined: number;
  /** Batches that have not come to rest, those that stand still first, then the newest; how many such there are, and how many in all. */
  readonly batches: { readonly batches: readonly BatchView[]; readonly total: number; readonly kept: number };
  readonly warnings: readonly Warning[];
};

/** However many look, Redis is asked so often at most. */
const FRESH_MS = 900;
const REDIS_HEALTH_FRESH_MS = 5000;

/** A reader of the overview that shares one look at Redis among all who ask at about the same time. */
export function createOverview(
  redis: RedisClient,
  prefix: string,
  { views, clock }: { readonly views: Pick<BatchViews, "active">; readonly clock: RedisClock },
): { read(): Promise<Overview> } {
  const health = keptFor(REDIS_HEALTH_FRESH_MS, () => readRedisHealth(redis, redisKeys(prefix).workers()));
  const overview = keptFor(FRESH_MS, async (): Promise<Overview> => {
    const now = await clock();
    const [{ queues, foreign }, workers, facts, quarantined, batches] = await Promise.all([
      readQueueCounts(redis, prefix, now),
      unlessForeign(readWorkers(redis, prefix, now), []),
      health(),
      unlessForeign(redis.hlen(redisKeys(prefix).quarantine()), 0),
      unlessForeign(views.active(), { batches: [], total: 0, kept: 0 }),
    ]);
    const warnings = [...facts.warnings, ...foreign.map(warnOfForeign), ...unattended(queues, workers)];
    return {
      at: new Date(now).toISOString(),
      version: VERSION,
      queues,
      workers,
      redis: facts,
      quarantined,
      batches,
      warnings,
    };
  });
  return { read: overview };
}

/** A queue of which nothing is shown, and whose jobs nobody can take: BullMQ fails at it as well. */
function warnOfForeign(name: string): Warning {
  return {
    code: `foreign-${name}`,
    severity: "danger",
    message: `A key of the queue ${name} holds something of another type: another program wrote it. Nothing is known of this queue.`,
    remedy: "Find out who else writes below this prefix, and rename or delete that key (TYPE, RENAME, DEL).",
  };
}

/** Work that nobody will take. */
function unattended(queues: readonly QueueCounts[], workers: readonly WorkerView[]): Warning[] {
  const waiting = queues.filter((queue) => queue.waiting > 0 && !queue.paused);
  if (waiting.length === 0) return [];
  if (workers.length === 0)
    return [
      {
        code: "no-worker",
        severity: "danger",
        message: "Jobs wait, but no worker is alive.",
        remedy: "Start one with npx bucketline worker, with the same REDIS_URL and BUCKETLINE_PREFIX as here.",
      },
    ];
  const attended = new Set(workers.flatMap(({ activities }) => activities));
  const names = waiting.map(({ name }) => name).filter((name) => !attended.has(name));
  if (names.length === 0) return [];
  return [
    {
      code: "unattended",
      severity: "warning",
      message: `No worker takes ${names.join(", ")}, where jobs wait.`,
      remedy: "Start a worker for it, or add it to BUCKETLINE_ACTIVITIES of one.",
    },
  ];
}
