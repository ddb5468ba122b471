import { Queue } from "bullmq";
import type { RedisClient } from "../redis/connection/client.ts";
import type { Logger } from "pino";
import { queueNames } from "./watch/queue-counts.ts";

/** BullMQ's view of every queue, all on one connection. */
export type BullQueues = {
  readonly all: readonly Queue[];
  get(name: string): Queue | undefined;
  close(): Promise<void>;
};

export function openBullQueues(
  redis: RedisClient,
  { prefix, log }: { readonly prefix: string; readonly log: Logger },
): BullQueues {
  const queues = new Map(
    queueNames.map((name) => {
      // The dashboard only looks: writing a queue's settings into Redis is for those who use it.
      const queue = new Queue(name, { connection: redis, prefix, skipMetasUpdate: true, skipWaitingForReady: true });
      // The calls that suffer from it reject; without a listener the process would end.
      queue.on("error", (error) => log.debug({ err: error, queue: name }, "the queue reports an error"));
      return [name, queue];
    }),
  );
  return {
    all: [...queues.values()],
    get: (name) => queues.get(name),
    close: async () => {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
    },
  };
}
