import type { ChunkManifest } from "../../batches/state/chunk-manifest.ts";
import type { ChunkStore, Delivery } from "../../batches/state/chunk-store.ts";
import type { BatchState } from "../../batches/state/status.ts";
import type { BatchSpec } from "../../batches/spec/request.ts";
import { isSameSecond } from "../../model/one-object.ts";
import type { LeasedRange } from "../../redis/leases.ts";
import type { ModelRedis } from "./redis.ts";
import type { Generation } from "./store.ts";

/** A batch of one chunk: what its keys are, and who works on it. */
export type Batch = {
  readonly id: string;
  readonly spec: BatchSpec;
  readonly ranges: readonly LeasedRange[];
  state: BatchState;
  manifest: ChunkManifest | undefined;
  pinned: Map<string, number>;
  delivery: number;
  owner: string;
  groups: string[];
  remembered: Map<string, string>;
  busy: boolean;
  lockedUntil: number;
  token: string;
  delayedUntil: number;
  cutOffAt: number;
};

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

/** The same bytes of the same second, written since: no look tells them from the pinned object. */
export function isTwin({ manifest }: Batch, key: string, now: Generation | undefined): boolean {
  const at = manifest?.keys.indexOf(key) ?? -1;
  const modified = manifest?.modified[at] ?? "";
  if (now === undefined || modified === "" || manifest?.etags[at] !== now.etag) return false;
  return isSameSecond(new Date(now.modified).toISOString(), modified);
}
