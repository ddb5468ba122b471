import type { ActivityName } from "../../jobs/contracts.ts";
import { cutRedis } from "../../redis/connection/connect.ts";
import type { RedisConnection } from "../../redis/connection/open.ts";
import type { RedisKeys } from "../../redis/keys.ts";

/** What happened to a job, as its queue's event stream tells it. */
export type JobEvent =
  | { readonly id: string; readonly kind: "completed"; readonly value: unknown }
  | { readonly id: string; readonly kind: "failed"; readonly reason: string }
  | { readonly id: string; readonly kind: "removed" };

export type JobEvents = { close(): void };

/** How long a read waits for an event; less than what a connection may keep silent. Milliseconds. */
const BLOCK_MS = 5000;
/** After a read that failed: a server may refuse at once, again and again. Milliseconds. */
const AFTER_FAILURE_MS = 1000;
/** So many failures in a row, and following is given up: whoever waits polls, and opens it anew. */
const FAILURES = 5;
const AT_ONCE = 1000;

/**
 * Follows the ends of an activity's jobs, on a connection of its own. No event after this call resolved is missed while the stream keeps it.
 * `died` is called where following ended although nobody closed it. We read the stream ourselves: BullMQ's `QueueEvents` cannot be closed
 * while its connection is being made, and then tries for ever.
 */
export async function openJobEvents(
  context: { readonly redis: RedisConnection; readonly keys: RedisKeys },
  activity: ActivityName,
  on: { readonly event: (event: JobEvent) => void; readonly died: () => void },
): Promise<JobEvents> {
  const { redis, keys } = context;
  const stream = keys.job(activity, "events");
  const [newest] = await redis.run(`follow ${activity}`, (client) => client.xrevrange(stream, "+", "-", "COUNT", 1));
  const client = redis.another(stream);
  // Lost connections come back by themselves, and meanwhile waits are polled.
  client.on("error", () => {});
  const closing = new AbortController();
  const follow = async () => {
    // From the newest event on, and not from whenever the connection is up.
    let last = newest?.[0] ?? "0-0";
    let failures = 0;
    while (!closing.signal.aborted && failures < FAILURES) {
      try {
        const [[, entries] = []] =
          (await client.xread("COUNT", AT_ONCE, "BLOCK", BLOCK_MS, "STREAMS", stream, last)) ?? [];
        for (const [id, fields] of entries ?? []) {
          last = id;
          const event = eventOf(fields);
          if (event !== undefined) on.event(event);
        }
        failures = 0;
      } catch {
        // A process that is done would stay for a pause that nobody waits for.
        if (closing.signal.aborted) break;
        failures++;
        await pause(AFTER_FAILURE_MS, closing.signal);
      }
    }
    cutRedis(client);
    if (!closing.signal.aborted) on.died();
  };
  void follow();
  return {
    close() {
      if (closing.signal.aborted) return;
      closing.abort();
      cutRedis(client);
    },
  };
}

function eventOf(flat: readonly string[]): JobEvent | undefined {
  const fields = new Map<string, string>();
  for (let at = 0; at + 1 < flat.length; at += 2) fields.set(flat[at] ?? "", flat[at + 1] ?? "");
  const id = fields.get("jobId");
  if (id === undefined) return undefined;
  const event = fields.get("event");
  if (event === "completed") return completed(id, fields.get("returnvalue"));
  if (event === "failed") return { id, kind: "failed", reason: fields.get("failedReason") ?? "" };
  return event === "removed" ? { id, kind: "removed" } : undefined;
}

function completed(id: string, value: string | undefined): JobEvent | undefined {
  try {
    return { id, kind: "completed", value: JSON.parse(value ?? "null") };
  } catch {
    return undefined; // no worker of ours wrote it; the job itself says what became of it when it is polled
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}
