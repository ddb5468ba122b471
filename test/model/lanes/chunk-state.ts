import type { ChunkStore, Delivery } from "../../../batches/state/chunk-store.ts";
import type { BatchState } from "../../../batches/state/status.ts";
import type { ModelRedis } from "../redis.ts";
import type { Batch } from "./batch.ts";

const settle = (batch: Batch, ended: boolean): BatchState => {
  batch.busy = false;
  if (ended)
    batch.state = batch.state === "cancelling" ? "cancelled" : batch.state === "failing" ? "failed" : "completed";
  else if (batch.state === "pausing") batch.state = "paused";
  return batch.state;
};

/** What running a chunk asks of its store: another type of one of these is an error here. */
type Asked = Pick<ChunkStore, "checkpoint" | "remember" | "recall" | "park" | "finish" | "nonceOf" | "sharesNumber">;

/** A chunk as the scripts keep it, for what runs one. */
export function chunksOf(redis: ModelRedis, batch: Batch): ChunkStore {
  const owned = <Result>({ owner }: Delivery, name: string, then: () => Result): Promise<Result | "superseded"> =>
    redis.ask(name, () => (batch.owner === owner ? then() : ("superseded" as const)));
  const asked: Asked = {
    checkpoint: async (delivery, { group }) => {
      const state = await owned(delivery, "checkpoint", () => {
        if (group !== "") batch.groups.push(group);
        return batch.state;
      });
      return { state, written: { key: batch.id, fields: { o: delivery.owner, g: group } } };
    },
    remember: async (delivery, field, value) =>
      (await owned(delivery, "remember", () => batch.remembered.set(field, value) !== undefined)) === true,
    recall: (_, field) => redis.ask("recall", () => batch.remembered.get(field) ?? null),
    park: async (delivery) => ({
      state: await owned(delivery, "park", () => settle(batch, false)),
      priority: undefined,
    }),
    finish: (delivery) => owned(delivery, "finish", () => settle(batch, true)),
    nonceOf: () => Promise.resolve("nonce"),
    sharesNumber: () => Promise.resolve(false),
  };
  return asked as ChunkStore; // all that runChunk asks of it
}
