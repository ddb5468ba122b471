import { Queue } from "bullmq";
import type { ActivityName } from "../jobs/contracts.ts";
import type { RedisConnection } from "./redis-connection.ts";

/** The BullMQ queues of a producer, opened when first used, all on its one connection. */
export type QueuePool = {
  /** Call it inside {@link RedisConnection.run}. */
  get(activity: ActivityName): Promise<Queue>;
  close(): Promise<void>;
};

export function createQueuePool(redis: RedisConnection, prefix: string): QueuePool {
  const queues = new Map<ActivityName, Queue>();
  return {
    get: async (activity) => {
      const queue = queues.get(activity) ?? open(activity);
      try {
        await queue.waitUntilReady();
      } catch (error) {
        // BullMQ keeps a queue whose first contact failed broken for ever, so the next call makes a new one.
        if (queues.get(activity) === queue) queues.delete(activity);
        await queue.close();
        throw error;
      }
      return queue;
    },
    close: async () => {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      queues.clear();
    },
  };

  function open(activity: ActivityName): Queue {
    const queue = new Queue(activity, { connection: redis.client, prefix });
    // The calls that suffer from it reject; without a listener BullMQ prints it.
    queue.on("error", () => {});
    queues.set(activity, queue);
    return queue;
  }
}
