import { CHUNK_QUEUE } from "../../jobs/queues.ts";
import { redisKeys } from "../../redis/keys.ts";
import type { ReportRow } from "../report/row.ts";
import type { Access } from "./access.ts";

/** What a batch got done in five seconds. */
export type Throughput = { readonly at: string; readonly objects: number; readonly bytes: number };

/** What became of a batch so far, and which batches there are. */
export function history({ redis, prefix, keys }: Access) {
  return {
    /** The newest failures, at most 100, newest first. */
    async recentFailures(id: string): Promise<ReportRow[]> {
      const rows = await redis.lrange(keys.recent(id), "0", "-1");
      return rows.flatMap((row) => rowOf(row) ?? []);
    },

    /** The last hour in steps of five seconds, oldest first; steps without any progress are left out. */
    async throughput(id: string): Promise<Throughput[]> {
      const [steps, [seconds]] = await Promise.all([redis.hgetall(keys.rate(id)), redis.time()]);
      return stepsOf(Object.values(steps), Number(seconds) * 1000 - HOUR_MS);
    },

    /** The bitmap of chunks that have a segment in the report, and those of which it is not the first delivery's. */
    async segments(id: string): Promise<{ bitmap: Buffer; retaken: Record<string, string> }> {
      const [bitmap, retaken] = await Promise.all([
        redis.getBuffer(keys.segments(id)),
        redis.hgetall(keys.retaken(id)),
      ]);
      return { bitmap: bitmap ?? Buffer.alloc(0), retaken };
    },

    /** A page of ids, newest first, with the score to go on from. */
    async page(before: string, count: number): Promise<{ id: string; createdAt: string }[]> {
      const flat = await redis.zrevrangebyscore(keys.index(), before, "-inf", "WITHSCORES", "LIMIT", 0, count);
      return Array.from({ length: flat.length / 2 }, (_, i) => ({
        id: flat[2 * i] ?? "",
        createdAt: flat[2 * i + 1] ?? "",
      }));
    },

    /** Ids of batches that have not come to rest. */
    active: (): Promise<string[]> => redis.zrange(keys.active(), "0", "-1"),

    /** Which jobs of the chunk queue exist, in order; `ended` where only its record is kept, as of one in quarantine. */
    async jobsExist(ids: readonly string[]): Promise<("there" | "ended" | "missing")[]> {
      const pipeline = redis.pipeline();
      for (const id of ids) {
        const key = redisKeys(prefix).job(CHUNK_QUEUE, id);
        pipeline.exists(key).hexists(key, "finishedOn");
      }
      const replies = ((await pipeline.exec()) ?? []).map(([error, count]) => {
        if (error !== null) throw error;
        return count === 1;
      });
      return ids.map((_, at) =>
        replies[2 * at] !== true ? "missing" : replies[2 * at + 1] === true ? "ended" : "there",
      );
    },
  };
}

/** One step, as chunk.lua writes it by the clock of Redis. */
export const STEP_MS = 5000;
const HOUR_MS = 3_600_000;

/** Steps from a time on, oldest first. */
export function stepsOf(slots: readonly string[], since: number): Throughput[] {
  return slots
    .map((text) => text.split(":").map(Number))
    .map(([slot = 0, objects = 0, bytes = 0]) => ({ at: slot * STEP_MS, objects, bytes }))
    .filter(({ at }) => at >= since && at <= MAX_TIME)
    .toSorted((one, other) => one.at - other.at)
    .map(({ at, objects, bytes }) => ({ at: new Date(at).toISOString(), objects, bytes }));
}

/** The last instant that a date has. */
const MAX_TIME = 8.64e15;

/** Only chunk-finish writes them; what another hand wrote is left out. */
function rowOf(json: string): ReportRow | undefined {
  try {
    const row = JSON.parse(json) as ReportRow | null;
    return typeof row?.key === "string" && typeof row.bucket === "string" ? row : undefined;
  } catch {
    return undefined; // no JSON
  }
}
