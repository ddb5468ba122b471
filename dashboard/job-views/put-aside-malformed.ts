import type { Redis } from "ioredis";
import { quarantineMalformed } from "../../jobs/quarantine.ts";
import { redisKeys } from "../../jobs/queues.ts";
import { isMalformed } from "./job-fields.ts";
import { readIds } from "./list-jobs.ts";

/** States in which a job can still be put aside; what has ended was read by somebody. */
const OPEN_STATES = ["active", "waiting", "delayed"] as const;

type Shown = {
  readonly prefix: string;
  readonly queue: string;
  /** One job, instead of a page of them. */
  readonly id?: string;
  readonly page: number;
  readonly perPage: number;
};

/** Puts those of a page's jobs into quarantine that are not JSON, before somebody lists them with BullMQ, which throws at them. */
export async function putAsideMalformed(redis: Redis, { prefix, queue, id, page, perPage }: Shown): Promise<void> {
  const ids = id === undefined ? await shownIds(redis, { prefix, queue, page, perPage }) : [id];
  const keys = redisKeys(prefix);
  const pipeline = redis.pipeline();
  for (const each of ids) pipeline.hmget(keys.job(queue, each), "data", "opts", "progress", "parent");
  const replies = (await pipeline.exec()) ?? [];
  const malformed = ids.filter((_each, index) => {
    const [error, fields] = replies[index] ?? [];
    return !error && isMalformed(...(fields as (string | null)[])); // HMGET's reply
  });
  if (malformed.length > 0) await quarantineMalformed(redis, { prefix, queue, ids: malformed });
}

async function shownIds(redis: Redis, { prefix, queue, page, perPage }: Omit<Shown, "id">): Promise<string[]> {
  // Where every state is shown, it is the first page of each.
  const offsets = page === 1 ? [0] : [0, (page - 1) * perPage];
  const found = await Promise.all(
    OPEN_STATES.flatMap((state) =>
      offsets.map((offset) => readIds(redis, prefix, { queue, state, offset, limit: perPage })),
    ),
  );
  return [...new Set(found.flatMap(({ ids }) => ids))];
}
