import { hostname } from "node:os";
import { z } from "zod";
import type { RedisKeys } from "../../redis/keys.ts";
import type { RedisConnection } from "../../redis/connection/open.ts";
import { type Act, ActorName, oneLine, Reason } from "./entry.ts";
import { writeAct } from "./log.ts";

/**
 * Why something is done, for the record of acts: one line, at most 500 characters.
 *
 * @example
 * const options: import("bucketline").ActOptions = { reason: "ticket 12" };
 * await job.cancel(options);
 */
export type ActOptions = { readonly reason?: string | undefined };

/**
 * For whom a producer acts. A name, or with the reason for all that it does. `false`: nothing is recorded, since whoever uses the producer
 * does so.
 */
export const Actor = z.union([
  z.literal(false),
  ActorName,
  z.strictObject({ name: ActorName, via: z.enum(["app", "cli"]).default("app"), reason: Reason.optional() }),
]);

/** Writes an act down, where acts are recorded. */
export type Recorder = {
  (act: Pick<Act, "action" | "target" | "detail"> & ActOptions): Promise<void>;
  /** Whether single jobs that are added are written down, too. */
  readonly jobs: boolean;
};

/** Steers are always recorded; jobs that are added only where an actor was named: there may be thousands a second. */
export function createRecorder(
  at: { readonly redis: RedisConnection; readonly keys: RedisKeys } | undefined,
  actor: z.output<typeof Actor> | undefined,
): Recorder {
  if (at === undefined || actor === false) return Object.assign(async () => {}, { jobs: false });
  const named = typeof actor === "string" ? { name: actor, via: "app", reason: undefined } : actor;
  const { name, via, reason } = named ?? { name: `app on ${hostname()}`, via: "app", reason: undefined };
  const record = async ({ reason: own, ...act }: Parameters<Recorder>[0]): Promise<void> => {
    const why = own === undefined ? reason : oneLine(own);
    const whole: Act = {
      actor: name,
      known: via,
      via,
      ...act,
      ...(why !== undefined && why !== "" && { reason: why }),
    };
    try {
      await at.redis.run("record an act", (client) => writeAct(client, at.keys, whole));
    } catch {
      // What was asked for has been done: to say that it failed would be worse than a missing line.
    }
  };
  return Object.assign(record, { jobs: actor !== undefined });
}
