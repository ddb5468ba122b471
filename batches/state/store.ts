import { randomBytes } from "node:crypto";
import type { Cluster, Redis } from "ioredis";
import type { ActivityErrorFields } from "../../model/activity-error.ts";
import { CHUNK_QUEUE } from "../../jobs/queues.ts";
import { redisKeys } from "../../redis/keys.ts";
import type { LuaScript } from "../../redis/scripts/load.ts";
import { type BatchKeys, batchKeys } from "./keys.ts";
import type { BatchSpec } from "../spec/request.ts";
import { createLeases, type LeasedRange } from "../../redis/leases.ts";
import type { ReportRow } from "../report/row.ts";
import { type BatchState, type BatchStatus, readStatus } from "./status.ts";
import {
  confirmBatch,
  createBatchScript,
  noteBatch,
  readBatch,
  openBatch,
  steerBatch,
  takeTokens,
  takeTurn,
  wantedJobs,
} from "./batch-scripts.ts";
import { replyList, replyText, runScript, type ScriptArguments, type ScriptReply } from "../../redis/scripts/run.ts";

export type Steering = "pause" | "resume" | "cancel";

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

/** What a batch got done in five seconds. */
export type Throughput = { readonly at: string; readonly objects: number; readonly bytes: number };

export type NewBatch = {
  readonly id: string;
  readonly spec: BatchSpec;
  /** Same request, same hash. */
  readonly specHash: string;
  /** The items, encoded; kept apart from the record, which is read often. */
  readonly items?: string;
  readonly total?: number;
  readonly retryOf?: string;
};

/** The state of batches in Redis. Every change is one script, so no crash leaves half of one. */
export type BatchStore = ReturnType<typeof createBatchStore>;

export function createBatchStore(redis: Redis | Cluster, prefix: string) {
  const keys = batchKeys(prefix);
  const run = <Argument extends string>(
    script: LuaScript<keyof BatchKeys, Argument>,
    id: string,
    args: ScriptArguments<Argument>,
  ) => runScript(redis, script, keys.ofBatch(id), args);

  return {
    redis,
    keys,
    leases: createLeases(redis, redisKeys(prefix)),

    /** Answers the hash of the spec that the id was made with, where it exists already. */
    async create(batch: NewBatch): Promise<string | undefined> {
      const [what, hash] = replyList(await run(createBatchScript, batch.id, creation(batch)));
      return replyText(what) === "exists" ? replyText(hash) : undefined;
    },

    /**
     * A schedule's run takes its turn and becomes a batch in one step; `exists` where it had become one before.
     *
     * @returns `wait` where the one before is still at work, `skip` where this one is left out
     */
    async takeTurn(
      { schedule, overlap, maxWaiting }: { schedule: string; overlap: "skip" | "queue"; maxWaiting: number },
      batch: NewBatch,
    ): Promise<"created" | "exists" | "skip" | "wait"> {
      const waiting = { schedule: keys.schedule(schedule), waiting: keys.waiting(schedule) };
      const args = { overlap, maxWaiting, ...creation(batch) };
      const [what] = replyList(await runScript(redis, takeTurn, { ...keys.ofBatch(batch.id), ...waiting }, args));
      return replyText(what) as "created" | "exists" | "skip" | "wait"; // the script returns nothing else
    },

    async open(
      id: string,
      opened: { note?: string; total?: number; feed?: boolean; cursors: readonly string[] },
    ): Promise<string> {
      const { note = "", total = "", feed = false, cursors } = opened;
      return replyText(await run(openBatch, id, { note, total, feed: feed ? 1 : 0, cursors }));
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

    /** Answers the states before and after; `undefined` where there is no such batch. */
    async steer(id: string, what: Steering): Promise<{ before: BatchState; after: BatchState } | undefined> {
      return states(await run(steerBatch, id, { what, error: "" }));
    },

    async fail(id: string, error: ActivityErrorFields): Promise<void> {
      await run(steerBatch, id, { what: "fail", error: JSON.stringify(error) });
    },

    /** `confirmed`, `expired`, `gone`, or the state that forbids it. */
    async confirm(id: string): Promise<string> {
      return replyText(replyList(await run(confirmBatch, id, {}))[0]);
    },

    async take(id: string, rate: number, wanted: number): Promise<{ granted: number; waitMs: number }> {
      const [granted, waitMs] = replyList(await run(takeTokens, id, { rate, wanted }));
      return { granted: Number(granted), waitMs: Number(waitMs) };
    },

    /** Sets fields of the record, where there is one. */
    async note(id: string, fields: Readonly<Record<string, string | number>>): Promise<void> {
      await run(noteBatch, id, { fields: Object.entries(fields).flat() });
    },

    async noteTrouble(id: string, error: ActivityErrorFields): Promise<void> {
      const trouble = JSON.stringify({ ...error, at: new Date(Date.now()).toISOString() });
      await run(noteBatch, id, { fields: ["trouble", trouble] });
    },

    /** One consistent look. */
    async status(id: string): Promise<BatchStatus | undefined> {
      const looked = { record: keys.record(id), live: keys.live(id), errors: keys.errors(id) };
      const reply = await runScript(redis, readBatch, looked, {});
      const [record = {}, live = {}, errors = {}] = replyList(reply).map(hashOf);
      return record["id"] === undefined ? undefined : readStatus(record, live, errors);
    },

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

    /** Deliveries of chunks that have not ended. */
    busy: (id: string): Promise<number> => redis.scard(keys.ofBatch(id).busy),

    async spec(id: string): Promise<BatchSpec | undefined> {
      const spec = await redis.hget(keys.record(id), "spec");
      return spec === null ? undefined : (JSON.parse(spec) as BatchSpec); // written after it was parsed
    },

    /** The state, how many batches are active in all, and how many jobs wait for a place at a worker. */
    async glance(id: string): Promise<{ state: BatchState | undefined; active: number; waiting: number }> {
      const [state, active, waiting] = await Promise.all([
        redis.hget(keys.record(id), "state"),
        redis.zcard(keys.active()),
        redis.zcard(redisKeys(prefix).prioritized(CHUNK_QUEUE)),
      ]);
      return { state: (state ?? undefined) as BatchState | undefined, active, waiting }; // only the scripts write it
    },

    /** Where a chain stands. */
    async chain(id: string, chain: number): Promise<{ next: number; ended: boolean }> {
      const [next, ended] = await redis.hmget(keys.record(id), `c${chain}:next`, `c${chain}:end`);
      return { next: Number(next ?? 0), ended: ended === "1" };
    },

    /** The items of a batch that names them, as they were stored. */
    items: (id: string): Promise<string | null> => redis.get(keys.items(id)),

    /** Whether jobs of the chunk queue exist, in order. */
    async jobsExist(ids: readonly string[]): Promise<boolean[]> {
      const pipeline = redis.pipeline();
      for (const id of ids) pipeline.exists(redisKeys(prefix).job(CHUNK_QUEUE, id));
      const replies = (await pipeline.exec()) ?? [];
      return replies.map(([error, count]) => {
        if (error !== null) throw error;
        return count === 1;
      });
    },

    /** The newest failures, at most 100, newest first. */
    async recentFailures(id: string): Promise<ReportRow[]> {
      const rows = await redis.lrange(keys.recent(id), "0", "-1");
      return rows.map((row) => JSON.parse(row) as ReportRow); // only chunk-finish writes them
    },

    /** The last hour in steps of five seconds, oldest first; steps without any progress are left out. */
    async throughput(id: string): Promise<Throughput[]> {
      const slots = Object.values(await redis.hgetall(keys.rate(id))).map((slot) => slot.split(":").map(Number));
      const since = Date.now() - 3_600_000;
      return slots
        .map(([slot = 0, objects = 0, bytes = 0]) => ({ at: slot * 5000, objects, bytes }))
        .filter(({ at }) => at >= since)
        .toSorted((one, other) => one.at - other.at)
        .map(({ at, objects, bytes }) => ({ at: new Date(at).toISOString(), objects, bytes }));
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
  };

  function states(reply: Awaited<ReturnType<typeof run>>): { before: BatchState; after: BatchState } | undefined {
    if (reply === null) return undefined;
    const [before, after] = replyList(reply).map(replyText);
    return { before: before as BatchState, after: after as BatchState }; // only the scripts write them
  }
}

/** What a batch begins as. The nonce tells the record from an earlier one of the same id. */
function creation({ id, spec, specHash, items = "", total, retryOf }: NewBatch) {
  const fields: (string | number)[] = ["spec", JSON.stringify(spec), "nonce", randomBytes(6).toString("hex")];
  fields.push("priority", spec.priority, "retention", spec.retention, "phase", spec.dryRun ? "0" : "1");
  if (retryOf !== undefined) fields.push("retryOf", retryOf);
  if (total !== undefined) fields.push("total", total);
  return { id, specHash, items, fields };
}

/** HGETALL's reply inside a script: names and values, alternating. */
function hashOf(reply: ScriptReply): Record<string, string> {
  const flat = replyList(reply).map(replyText);
  return Object.fromEntries(
    Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index] ?? "", flat[2 * index + 1] ?? ""]),
  );
}
