import type { BatchStatus } from "../../batches/state/status.ts";
import { THROTTLES } from "../../model/throttle.ts";

/** Why something does not go faster, in words. */
export type Hold = {
  readonly code: "paused" | "no-worker" | "queue-paused" | "throttled" | "trouble" | "waiting" | "limited";
  readonly message: string;
  /** ISO 8601. */
  readonly since?: string;
};

/** How busy the workers are with batches. */
export type Crowd = {
  /** Slots of live workers for chunks. */
  readonly slots: number;
  readonly queuePaused: boolean;
  /** Chunks in work for each batch that has any. */
  readonly busy: ReadonlyMap<string, number>;
};

/** Who paused it, and why. */
export type Paused = { readonly actor: string; readonly reason?: string | undefined };

function pausedWords(by: Paused | undefined): string {
  if (by === undefined) return "paused";
  return `paused by ${by.actor}${by.reason === undefined ? "" : ` (“${by.reason}”)`}`;
}

/** A batch that runs at this share of its limit is held by it. */
const AT_LIMIT = 0.6;

/** What holds up a batch that has not ended, the worst first; empty where it goes as fast as workers and store allow. */
export function holdsOf(status: BatchStatus, speed: number, crowd: Crowd, pausedBy?: Paused): Hold[] {
  const { state, trouble, spec, id, pausedAt } = status;
  if (state === "pausing" || state === "paused")
    return [{ code: "paused", message: pausedWords(pausedBy), ...(pausedAt !== undefined && { since: pausedAt }) }];
  if (state !== "running") return [];
  if (crowd.slots === 0) return [{ code: "no-worker", message: "no worker takes batches" }];
  if (crowd.queuePaused) return [{ code: "queue-paused", message: "the queue of batches is paused" }];
  const holds: Hold[] = [];
  if (trouble !== undefined && THROTTLES.has(trouble.code))
    holds.push({ code: "throttled", message: `the store throttles (${trouble.code})`, since: trouble.at });
  else if (trouble !== undefined)
    holds.push({ code: "trouble", message: `held up by ${trouble.code}, tried again by itself`, since: trouble.at });
  const others = [...crowd.busy.keys()].filter((other) => other !== id).length;
  const total = [...crowd.busy.values()].reduce((sum, chunks) => sum + chunks, 0);
  if ((crowd.busy.get(id) ?? 0) === 0 && others > 0 && total >= crowd.slots)
    holds.push({ code: "waiting", message: `waits for a slot behind ${others} ${others === 1 ? "batch" : "batches"}` });
  const limit = spec.maxObjectsPerSecond;
  if (limit !== undefined && speed >= limit * AT_LIMIT)
    holds.push({ code: "limited", message: `limited to ${limit.toLocaleString("en")}/s` });
  return holds;
}
