import { CHUNK_QUEUE } from "../../jobs/queues.ts";
import { isForeign } from "../../redis/foreign.ts";
import { redisKeys } from "../../redis/keys.ts";
import type { LeasedRange } from "../../redis/leases.ts";
import { queueScript, replyList, replyText, runScript, type ScriptReply } from "../../redis/scripts/run.ts";
import type { BatchSpec } from "../spec/request.ts";
import type { Access } from "./access.ts";
import { readBatch, wantedJobs } from "./batch-scripts.ts";
import { type BatchState, type BatchStatus, readStatus, withRate } from "./status.ts";

/** What a batch needs running: see {@link BatchStore.wanted}. */
export type WantedJobs = {
  readonly state: BatchState;
  readonly opened: boolean;
  readonly priority: number;
  /** The manifest is still being fed. */
  readonly feed: boolean;
  /** Names of open chunks. */
  readonly chunks: readonly string[];
  /** The next chunk of each chain that goes on. */
  readonly nexts: readonly { readonly chain: number; readonly n: number }[];
};

/** What a worker looks at again and again. */
type Glance = {
  readonly state: BatchState | undefined;
  /** As {@link rateOf} reads it. */
  readonly rate: string | undefined;
  readonly active: number;
  readonly waiting: number;
};

/** How a batch stands. */
export function looks({ redis, prefix, keys, run }: Access) {
  const statusKeys = (id: string) => ({ record: keys.record(id), live: keys.live(id), errors: keys.errors(id) });
  return {
    /** One consistent look. */
    async status(id: string): Promise<BatchStatus | undefined> {
      const reply = await runScript(redis, readBatch, statusKeys(id), {}).catch(noneOfOurs);
      return reply === undefined ? undefined : statusOf(reply);
    },

    /** Looks at so many in one round trip, each consistent in itself, in their order; without those that are gone. */
    async statuses(ids: readonly string[]): Promise<BatchStatus[]> {
      const pipeline = redis.pipeline();
      for (const id of ids) queueScript(pipeline, readBatch, statusKeys(id), {});
      return ((await pipeline.exec()) ?? []).flatMap(([error, reply]) => {
        if (error) return noneOfOurs(error) ?? [];
        return statusOf(reply as ScriptReply) ?? []; // as the script returns it
      });
    },

    /** The state, the rate that was set since it was started, how many batches are active in all, and how many jobs wait for a place at a worker. */
    async glance(id: string): Promise<Glance> {
      const [[state, rate], active, waiting] = await Promise.all([
        redis.hmget(keys.record(id), "state", "rate"),
        redis.zcard(keys.active()),
        redis.zcard(redisKeys(prefix).prioritized(CHUNK_QUEUE)),
      ]);
      const now = (state ?? undefined) as BatchState | undefined; // only the scripts write it
      return { state: now, rate: rate ?? undefined, active, waiting };
    },

    async wanted(id: string): Promise<WantedJobs | undefined> {
      const reply = await run(wantedJobs, id, {});
      if (reply === null) return undefined;
      const [state, opened, priority, feed, chunks, nexts] = replyList(reply);
      const pairs = replyList(nexts ?? []).map((one) => Number(replyText(one)));
      return {
        state: replyText(state) as BatchState, // only the scripts write it
        opened: replyText(opened) === "1",
        priority: Number(replyText(priority)),
        feed: replyText(feed) === "1",
        chunks: replyList(chunks ?? []).map(replyText),
        nexts: Array.from({ length: pairs.length / 2 }, (_, i) => ({
          chain: pairs[2 * i] ?? 0,
          n: pairs[2 * i + 1] ?? 0,
        })),
      };
    },
  };
}

/** What a batch works on, as it was opened. */
export function work({ redis, keys }: Access) {
  return {
    /** Deliveries of chunks that have not ended. */
    busy: (id: string): Promise<number> => redis.scard(keys.ofBatch(id).busy),

    async spec(id: string): Promise<BatchSpec | undefined> {
      const [spec, rate] = await redis.hmget(keys.record(id), "spec", "rate");
      return typeof spec !== "string" ? undefined : withRate(JSON.parse(spec) as BatchSpec, rate); // written after it was parsed
    },

    /** The items of a batch that names them, as they were stored. */
    items: (id: string): Promise<string | null> => redis.get(keys.items(id)),

    /** What tells the record from an earlier one of this id. */
    nonce: async (id: string): Promise<string> => (await redis.hget(keys.record(id), "nonce")) ?? "",

    /** What the batch deletes from and writes to; empty before it was opened. */
    async ranges(id: string): Promise<LeasedRange[]> {
      const ranges = await redis.hget(keys.record(id), "ranges");
      return ranges === null ? [] : (JSON.parse(ranges) as LeasedRange[]); // written when it was opened
    },

    /** Lines of the manifest whose destination is an earlier line's, and what goes there. */
    async taken(id: string): Promise<ReadonlyMap<number, string>> {
      const taken = await redis.hget(keys.record(id), "taken");
      return new Map(taken === null ? [] : (JSON.parse(taken) as [number, string][])); // written when it was opened
    },

    /** Where a chain stands. */
    async chain(id: string, chain: number): Promise<{ next: number; ended: boolean }> {
      const [next, ended] = await redis.hmget(keys.record(id), `c${chain}:next`, `c${chain}:end`);
      return { next: Number(next ?? 0), ended: ended === "1" };
    },
  };
}

function statusOf(reply: ScriptReply): BatchStatus | undefined {
  const [record = {}, live = {}, errors = {}] = replyList(reply).map(hashOf);
  return record["id"] === undefined ? undefined : readable(() => readStatus(record, live, errors));
}

/** What another program wrote under the name of a batch is none: whoever looks at all of them must not fail for one. */
function readable(read: () => BatchStatus): BatchStatus | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** As above, where it is something of another type. */
function noneOfOurs(error: unknown): undefined {
  if (isForeign(error)) return undefined;
  throw error;
}

/** HGETALL's reply inside a script: names and values, alternating. */
function hashOf(reply: ScriptReply): Record<string, string> {
  const flat = replyList(reply).map(replyText);
  return Object.fromEntries(
    Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index] ?? "", flat[2 * index + 1] ?? ""]),
  );
}
