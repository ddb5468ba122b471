import { Queue, type Telemetry } from "bullmq";
import type { ActivityName } from "../jobs/contracts.ts";
import type { RedisConnection } from "../redis/connection/open.ts";

/** The BullMQ queues of a producer, opened when first used, all on its one connection. */
export type QueuePool = {
  /** Call it inside {@link RedisConnection.run}. */
  get(activity: ActivityName): Promise<Queue>;
  close(): Promise<void>;
};

/** @param tracing where jobs are to carry on the trace in which they are added */
export function createQueuePool(redis: RedisConnection, prefix: string, tracing?: () => Promise<Telemetry>): QueuePool {
  const queues = new Map<ActivityName, Queue>();
  return {
    get: async (activity) => {
      const telemetry = await tracing?.();
      const queue = queues.get(activity) ?? open(activity, telemetry);
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

  function open(activity: ActivityName, telemetry: Telemetry | undefined): Queue {
    const queue = new Queue(activity, { connection: redis.client, prefix, ...(telemetry && { telemetry }) });
    // The calls that suffer from it reject; without a listener BullMQ prints it.
    queue.on("error", () => {});
    queues.set(activity, queue);
    return queue;
  }
}
