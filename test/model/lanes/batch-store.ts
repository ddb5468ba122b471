import type { BatchStore } from "../../../batches/state/store.ts";
import { redisKeys } from "../../../redis/keys.ts";
import { createLeases } from "../../../redis/leases.ts";
import type { ModelRedis } from "../redis.ts";
import type { BatchQueue } from "./batch-queue.ts";

/** What claims of ranges and controls of chunks ask of the store of batches. */
export function batchStoreOf(redis: ModelRedis, queue: BatchQueue): BatchStore {
  const asked = {
    leases: createLeases(redis.client, redisKeys("model")),
    ranges: (id: string) => redis.ask("ranges of a batch", () => queue.find(id)?.ranges ?? []),
    noteTrouble: () => Promise.resolve(),
    isCutOff: (id: string) => queue.isCutOff(id),
    glance: (id: string) => redis.ask("glance", () => ({ state: queue.find(id)?.state, active: 1 })),
  };
  return asked as unknown as BatchStore; // see above
}
