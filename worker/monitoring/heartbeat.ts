import { setTimeout as sleep } from "node:timers/promises";
import type { RedisClient } from "../../redis/connection/client.ts";
import type { RedisKeys } from "../../redis/keys.ts";
import type { TroubleLog } from "../../redis/connection/trouble-log.ts";

const EVERY_MS = 5000;
/** A worker that has not been heard of for so long is not shown any more, in seconds. */
const TTL_S = 30;
/** How long the end of a worker waits for a Redis that does not answer. */
const GOODBYE_MS = 2000;

/** What a dashboard shows of a worker. */
export type WorkerInfo = {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly activities: readonly string[];
  readonly concurrency: Readonly<Record<string, number>>;
  readonly startedAt: string;
};

/** Tells Redis that this worker is alive, what it does and how much memory it holds, until closed. */
export function startHeartbeat(
  redis: RedisClient,
  keys: RedisKeys,
  info: WorkerInfo,
  now: () => { readonly running: number; readonly lessons: readonly string[] },
  trouble: TroubleLog,
) {
  const beat = async () => {
    const at = Date.now();
    const record = {
      ...info,
      memory: process.memoryUsage.rss(),
      ...now(),
      seenAt: new Date(at).toISOString(),
    };
    const written = await redis
      .pipeline()
      .zadd(keys.workers(), at, info.id)
      .zremrangebyscore(keys.workers(), 0, at - TTL_S * 1000)
      .set(keys.worker(info.id), JSON.stringify(record), "EX", TTL_S)
      .exec();
    for (const [error] of written ?? []) if (error) throw error;
  };
  const tell = () => {
    beat().catch((error: unknown) => trouble(error, "the heartbeat did not reach Redis; trying again"));
  };
  tell();
  const timer = setInterval(tell, EVERY_MS);
  return {
    async close() {
      clearInterval(timer);
      const forgotten = redis.pipeline().zrem(keys.workers(), info.id).del(keys.worker(info.id)).exec();
      // What Redis does not hear of it forgets by itself.
      await Promise.race([forgotten.catch(() => {}), sleep(GOODBYE_MS, undefined, { ref: false })]);
    },
  };
}
