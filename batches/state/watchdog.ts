import type { Logger } from "pino";
import type { RedisClient } from "../../redis/connection/client.ts";
import { createTroubleLog, type TroubleLog } from "../../redis/connection/trouble-log.ts";
import type { BatchQueue } from "./queue.ts";
import { createBatchStore } from "./store.ts";
import { healBatch } from "./heal.ts";

export type WatchdogOptions = {
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly queue: BatchQueue;
  readonly log: Logger;
  /** Told of a look that failed. Default: told to `log`, the same trouble twice a minute at most. */
  readonly trouble?: TroubleLog | undefined;
  /** Milliseconds between two looks, over all workers together. Default 5,000. */
  readonly interval?: number | undefined;
};

/** Ended batches whose record is gone, dropped from the index at a look. */
const PRUNED_AT_ONCE = 100;
/** No worker's lock is held for longer, whatever its interval. */
const LONGEST_LOCK_MS = 600_000;

/**
 * Any worker may be the one that looks after the batches: whoever gets the short lock adds jobs that got lost between two steps, and
 * lets go of what has expired. Nothing else depends on it: a batch whose workers are all gone goes on when one comes back.
 */
export function startWatchdog({
  redis,
  prefix,
  queue,
  log,
  trouble = createTroubleLog(log),
  interval = 5000,
}: WatchdogOptions): {
  close(): Promise<void>;
} {
  const store = createBatchStore(redis, prefix);
  let closed = false;
  let looking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(look).catch((error: unknown) => trouble(error, "the watchdog of batches could not look"));
  }, interval);

  return {
    async close() {
      closed = true;
      clearInterval(timer);
      await looking;
    },
  };

  async function look(): Promise<void> {
    if (closed) return;
    // The lock goes by itself just before the next look, so that it is never held by a worker that died.
    const got = await redis.set(store.keys.watchdog(), "1", "PX", Math.max(1, Math.floor(interval * 0.9)), "NX");
    if (got === null) return await dropForeignLock();
    // One that cannot be looked at keeps nobody from the others.
    const failed: unknown[] = [];
    for (const id of await store.active()) await heal(id).catch((error: unknown) => failed.push(error));
    await prune();
    if (failed.length > 0) throw failed[0];
  }

  /** Whatever another program left under the lock's name would keep every worker from looking, for ever. */
  async function dropForeignLock(): Promise<void> {
    const left = await redis.pttl(store.keys.watchdog());
    if (left === -1 || left > LONGEST_LOCK_MS) await redis.del(store.keys.watchdog());
  }

  async function heal(id: string): Promise<void> {
    const healed = await healBatch(store, queue, id);
    if (healed > 0) log.info({ batch: id, jobs: healed }, "added jobs that a batch had lost");
  }

  /** Records expire by themselves; their place in the index does not. */
  async function prune(): Promise<void> {
    const oldest = await redis.zrange(store.keys.index(), "0", String(PRUNED_AT_ONCE - 1));
    for (const id of oldest)
      if ((await redis.exists(store.keys.record(id))) === 0) await redis.zrem(store.keys.index(), id);
  }
}
