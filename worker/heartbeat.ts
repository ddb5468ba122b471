import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { RedisKeys } from "../redis/keys.ts";
import { withoutCommand } from "../redis/without-command.ts";

const EVERY_MS = 5000;
/** A worker that has not been heard of for so long is not shown any more, in seconds. */
const TTL_S = 30;

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
export function startHeartbeat(redis: Redis, keys: RedisKeys, info: WorkerInfo, running: () => number, log: Logger) {
  const beat = async () => {
    const now = Date.now();
    const record = {
      ...info,
      memory: process.memoryUsage.rss(),
      running: running(),
      seenAt: new Date(now).toISOString(),
    };
    await redis
      .multi()
      .zadd(keys.workers(), now, info.id)
      .zremrangebyscore(keys.workers(), 0, now - TTL_S * 1000)
      .set(keys.worker(info.id), JSON.stringify(record), "EX", TTL_S)
      .exec();
  };
  const tell = () => {
    beat().catch((error: unknown) =>
      log.debug({ err: withoutCommand(error) }, "the heartbeat did not reach Redis; trying again"),
    );
  };
  tell();
  const timer = setInterval(tell, EVERY_MS);
  return {
    async close() {
      clearInterval(timer);
      await redis.multi().zrem(keys.workers(), info.id).del(keys.worker(info.id)).exec();
    },
  };
}
