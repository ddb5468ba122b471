import type { RedisClient } from "../../redis/connection/client.ts";
import { quarantineMalformed } from "../../jobs/quarantine.ts";
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

/** Puts a page's malformed jobs into quarantine before somebody lists them with BullMQ, which throws at them. */
export async function putAsideMalformed(
  redis: RedisClient,
  { prefix, queue, id, page, perPage }: Shown,
): Promise<void> {
  const ids = id === undefined ? await shownIds(redis, { prefix, queue, page, perPage }) : [id];
  await quarantineMalformed(redis, { prefix, queue, ids });
}

async function shownIds(redis: RedisClient, { prefix, queue, page, perPage }: Omit<Shown, "id">): Promise<string[]> {
  // Where every state is shown, it is the first page of each.
  const offsets = page === 1 ? [0] : [0, (page - 1) * perPage];
  const found = await Promise.all(
    OPEN_STATES.flatMap((state) =>
      offsets.map((offset) => readIds(redis, prefix, { queue, state, offset, limit: perPage })),
    ),
  );
  return [...new Set(found.flatMap(({ ids }) => ids))];
}
