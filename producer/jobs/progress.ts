import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { ActivityName } from "../../jobs/contracts.ts";
import type { RedisKeys } from "../../redis/keys.ts";
import type { RedisConnection } from "../../redis/connection/open.ts";

/** How far a job is with the bytes that it moves. */
export type JobProgress = {
  /** Bytes that arrived; begins anew with another attempt. */
  readonly bytes: number;
  readonly of: number;
};

/** Workers tell at most once a second. */
const EVERY_MS = 1_000;

const Stored = z.object({ bytes: z.number(), of: z.number() });

type Followed = {
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  readonly activity: ActivityName;
  readonly id: string;
  /** Settles with the job's end. */
  readonly ended: Promise<unknown>;
};

/** What a job tells while it runs, each time that it is something new; ends with the job, however that went. */
export async function* followProgress({ redis, keys, activity, id, ended }: Followed): AsyncGenerator<JobProgress> {
  const over = new AbortController();
  const end = (): void => over.abort();
  ended.then(end, end);
  let last = "";
  for (let isLast = false; ; isLast = over.signal.aborted) {
    const text = await redis.run(`progress of ${activity}/${id}`, (client) =>
      client.hget(keys.job(activity, id), "progress"),
    );
    if (text !== null && text !== last) {
      last = text;
      const progress = parse(text);
      if (progress !== undefined) yield progress;
    }
    // What was told last may have come just before the end.
    if (isLast) return;
    await sleep(EVERY_MS, undefined, { signal: over.signal }).catch(() => undefined);
  }
}

/** BullMQ keeps 0 until a job has told something. */
function parse(text: string): JobProgress | undefined {
  try {
    return Stored.safeParse(JSON.parse(text)).data;
  } catch {
    // Another program's words about its own job.
    return undefined;
  }
}
