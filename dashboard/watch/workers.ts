import type { RedisClient } from "../../redis/connection/client.ts";
import { z } from "zod";
import { redisKeys } from "../../redis/keys.ts";

/** A worker of which nothing was heard for so long is not alive. */
export const ALIVE_MS = 30_000;

/** What a worker tells of itself. Fields that a newer or older worker does not send are left out. */
export const WorkerView = z.object({
  id: z.string(),
  host: z.string().default("unknown"),
  pid: z.number().default(0),
  /** The queues it takes jobs from. */
  activities: z.array(z.string()).default([]),
  concurrency: z.record(z.string(), z.number()).default({}),
  /** Bytes of resident memory. */
  memory: z.number().default(0),
  /** Jobs it works on. */
  running: z.number().default(0),
  /** What it learned of stores: sentences. */
  lessons: z.array(z.string()).default([]),
  /** The first of them, as `<queue>/<job id>`. */
  jobs: z.array(z.string()).default([]),
  version: z.string().optional(),
  startedAt: z.string().optional(),
  seenAt: z.string().optional(),
});
export type WorkerView = z.output<typeof WorkerView>;

/** The workers that are alive, by host and process. */
export async function readWorkers(
  redis: RedisClient,
  prefix: string,
  now = Date.now(),
): Promise<readonly WorkerView[]> {
  const keys = redisKeys(prefix);
  const ids = await redis.zrangebyscore(keys.workers(), now - ALIVE_MS, "+inf");
  if (ids.length === 0) return [];
  const texts = await redis.mget(ids.map((id) => keys.worker(id)));
  return texts
    .flatMap((text) => parseWorker(text) ?? [])
    .toSorted((a, b) => a.host.localeCompare(b.host) || a.pid - b.pid || a.id.localeCompare(b.id));
}

export function parseWorker(text: string | null): WorkerView | undefined {
  if (text === null) return undefined; // it stopped between the two reads
  try {
    return WorkerView.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // not JSON: no worker of ours wrote it
  }
}
