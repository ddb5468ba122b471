import { setTimeout as sleep } from "node:timers/promises";
import type { RedisClient } from "../../redis/connection/client.ts";
import type { RedisKeys } from "../../redis/keys.ts";
import type { TroubleLog } from "../../redis/connection/trouble-log.ts";
import { loadScript } from "../../redis/scripts/load.ts";
import { runScript } from "../../redis/scripts/run.ts";

const EVERY_MS = 5000;
/** A worker that has not been heard of for so long counts as lost. */
const SILENCE_MS = 30_000;
/** Jobs that a heartbeat names, of however many there are. */
const MAX_HELD = 50;
/** How long the end of a worker waits for a Redis that does not answer. */
const GOODBYE_MS = 2000;

/** What a dashboard shows of a worker. */
export type WorkerInfo = {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly activities: readonly string[];
  readonly concurrency: Readonly<Record<string, number>>;
  readonly version: string;
  readonly startedAt: string;
};

const beatScript = loadScript(new URL("./beat.lua", import.meta.url), {
  keys: ["workers", "worker", "lost"],
  args: ["id", "record", "now", "silence", "prefix"],
});

type Heartbeat = {
  readonly info: WorkerInfo;
  /** The jobs it works on, as `<queue>/<job id>`. */
  readonly held: () => readonly string[];
  /** What its stores were found to lack. */
  readonly lessons: () => readonly string[];
  readonly trouble: TroubleLog;
};

/** Tells Redis that this worker is alive, what it does and how much memory it holds, until closed. */
export function startHeartbeat(redis: RedisClient, keys: RedisKeys, { info, held, lessons, trouble }: Heartbeat) {
  const beat = async () => {
    const now = Date.now();
    const jobs = held();
    const record = {
      ...info,
      memory: process.memoryUsage.rss(),
      running: jobs.length,
      jobs: jobs.slice(0, MAX_HELD),
      lessons: lessons(),
      seenAt: new Date(now).toISOString(),
    };
    const { id } = info;
    await runScript(
      redis,
      beatScript,
      { workers: keys.workers(), worker: keys.worker(id), lost: keys.lostWorkers() },
      { id, record: JSON.stringify(record), now, silence: SILENCE_MS, prefix: keys.worker("") },
    );
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
      // What Redis does not hear of it counts as lost after a while.
      await Promise.race([forgotten.catch(() => {}), sleep(GOODBYE_MS, undefined, { ref: false })]);
    },
  };
}
