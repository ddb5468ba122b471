import type { ActivityErrorFields } from "../../model/activity-error.ts";
import { replyList, replyText, type ScriptReply } from "../../redis/scripts/run.ts";
import type { Access } from "./access.ts";
import { countRequests, noteBatch, steerBatch, takeTokens } from "./batch-scripts.ts";
import type { BatchState } from "./status.ts";

export type Steering = "pause" | "resume" | "cancel";

/** For so long after a delete without an answer nobody gets the batch's places, in ms. */
const MAY_COME_MS = 30_000;

export type RequestsSent = Readonly<Record<"list" | "head" | "copy" | "delete", number>>;

/** What is asked of a batch at work, and told of it. */
export function steering({ redis, keys, run }: Access) {
  return {
    /** Answers the states before and after; `undefined` where there is no such batch. */
    async steer(id: string, what: Steering): Promise<{ before: BatchState; after: BatchState } | undefined> {
      return states(await run(steerBatch, id, { what, error: "" }));
    },

    async fail(id: string, error: ActivityErrorFields): Promise<void> {
      await run(steerBatch, id, { what: "fail", error: JSON.stringify(error) });
    },

    async take(id: string, rate: number, wanted: number): Promise<{ granted: number; waitMs: number }> {
      const [granted, waitMs] = replyList(await run(takeTokens, id, { rate, wanted }));
      return { granted: Number(granted), waitMs: Number(waitMs) };
    },

    /** Counts requests that no chunk's checkpoint tells of. */
    async countRequests(id: string, { list, head, copy, delete: deletes }: RequestsSent): Promise<void> {
      if (list + head + copy + deletes === 0) return;
      await run(countRequests, id, { lists: list, heads: head, copies: copy, deletes });
    },

    /** Sets fields of the record, where there is one. */
    async note(id: string, fields: Readonly<Record<string, string | number>>): Promise<void> {
      await run(noteBatch, id, { fields: Object.entries(fields).flat() });
    },

    async noteTrouble(id: string, error: ActivityErrorFields): Promise<void> {
      const trouble = JSON.stringify({ ...error, at: new Date(Date.now()).toISOString() });
      await run(noteBatch, id, { fields: ["trouble", trouble] });
    },

    /** A delete of the batch had no answer: it may take effect for a while. */
    async noteCutOff(id: string): Promise<void> {
      await run(noteBatch, id, { fields: ["cutOffAt", Date.now()] });
    },

    /** Whether a delete may still take effect. */
    async isCutOff(id: string): Promise<boolean> {
      return Date.now() - Number(await redis.hget(keys.record(id), "cutOffAt")) < MAY_COME_MS;
    },
  };
}

function states(reply: ScriptReply): { before: BatchState; after: BatchState } | undefined {
  if (reply === null) return undefined;
  const [before, after] = replyList(reply).map(replyText);
  return { before: before as BatchState, after: after as BatchState }; // only the scripts write them
}
