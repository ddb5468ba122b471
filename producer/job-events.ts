import { QueueEvents } from "bullmq";
import type { ActivityName } from "../jobs/contracts.ts";
import type { RedisKeys } from "../redis/keys.ts";
import type { RedisConnection } from "../redis/connection.ts";

/** What happened to a job, as its queue's event stream tells it. */
export type JobEvent =
  | { readonly id: string; readonly kind: "completed"; readonly value: unknown }
  | { readonly id: string; readonly kind: "failed"; readonly reason: string }
  | { readonly id: string; readonly kind: "removed" };

export type JobEvents = { close(): Promise<void> };

/** A connection that does not end by itself within this time is cut. */
const CLOSE_WITHIN_MS = 1000;

/**
 * Follows the ends of an activity's jobs, on a connection of its own. No event after this call resolved is missed while the stream keeps it.
 * `died` is called where following ended although nobody closed it.
 */
export async function openJobEvents(
  context: { readonly redis: RedisConnection; readonly keys: RedisKeys; readonly prefix: string },
  activity: ActivityName,
  on: { readonly event: (event: JobEvent) => void; readonly died: () => void },
): Promise<JobEvents> {
  const { redis, keys, prefix } = context;
  const [last] = await redis.run(`follow ${activity}`, (client) =>
    client.xrevrange(keys.job(activity, "events"), "+", "-", "COUNT", 1),
  );
  const events = new QueueEvents(activity, {
    connection: redis.blocking,
    prefix,
    // From the last event on, and not from whenever the connection is up.
    lastEventId: last?.[0] ?? "0-0",
    autorun: false,
  });
  let closing = false;
  events.on("completed", ({ jobId, returnvalue }) => on.event({ id: jobId, kind: "completed", value: returnvalue }));
  events.on("failed", ({ jobId, failedReason }) => on.event({ id: jobId, kind: "failed", reason: failedReason }));
  events.on("removed", ({ jobId }) => on.event({ id: jobId, kind: "removed" }));
  // Lost connections come back by themselves, and meanwhile waits are polled.
  events.on("error", () => {});
  const ended = () => void (closing || on.died());
  events.run().then(ended, ended);
  return {
    close: async () => {
      if (closing) return;
      closing = true;
      await closeEvents(events);
    },
  };
}

async function closeEvents(events: QueueEvents): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<"late">();
  const timer = setTimeout(resolve, CLOSE_WITHIN_MS, "late");
  // A connection that breaks while it is closed is closed as well.
  const closed = events.close().catch(() => {});
  const first = await Promise.race([closed, late]);
  clearTimeout(timer);
  // BullMQ waits for a first contact before it closes; without Redis there never is one.
  if (first === "late") await events.getBackend().close(true);
}
