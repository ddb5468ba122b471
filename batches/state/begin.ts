import { randomBytes } from "node:crypto";
import { replyList, replyText, runScript } from "../../redis/scripts/run.ts";
import type { BatchSpec } from "../spec/request.ts";
import type { Access } from "./access.ts";
import { confirmBatch, createBatchScript, openBatch, takeTurn } from "./batch-scripts.ts";

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

/** How a batch comes to be, and begins. */
export function beginnings({ redis, keys, run }: Access) {
  return {
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

    /** `confirmed`, `expired`, `gone`, or the state that forbids it. */
    async confirm(id: string): Promise<string> {
      return replyText(replyList(await run(confirmBatch, id, {}))[0]);
    },
  };
}

/** What a batch begins as. The nonce tells the record from an earlier one of the same id. */
function creation({ id, spec, specHash, items = "", total, retryOf }: NewBatch) {
  const fields: (string | number)[] = ["spec", JSON.stringify(spec), "nonce", randomBytes(6).toString("hex")];
  fields.push("priority", spec.priority, "retention", spec.retention, "phase", spec.dryRun ? "0" : "1");
  if (retryOf !== undefined) fields.push("retryOf", retryOf);
  if (total !== undefined) fields.push("total", total);
  return { id, specHash, items, fields };
}
