import type { BatchStore } from "../../batches/state/store.ts";
import { stepsOf, STEP_MS } from "../../batches/state/history.ts";
import type { BatchStatus } from "../../batches/state/status.ts";
import type { RedisClient } from "../../redis/connection/client.ts";
import { isForeign } from "../../redis/foreign.ts";
import { loadScript } from "../../redis/scripts/load.ts";
import { queueScript } from "../../redis/scripts/run.ts";

/** How fast a batch goes, per second. */
export type Speed = { readonly objects: number; readonly bytes: number };

export const STANDS: Speed = { objects: 0, bytes: 0 };

/** Two whole steps of the record. */
const WINDOW_MS = 2 * STEP_MS;

const newestSteps = loadScript(new URL("./scripts/newest-steps.lua", import.meta.url), { keys: ["rate"], args: [] });

/**
 * How fast so many batches go, in their order, in one round trip. Redis keeps the clock: it stamped when they began and what they got done,
 * so that it does not matter what time it is here.
 */
export async function readSpeeds(
  redis: RedisClient,
  { keys }: Pick<BatchStore, "keys">,
  batches: readonly Pick<BatchStatus, "id" | "startedAt" | "createdAt">[],
): Promise<Speed[]> {
  const pipeline = redis.pipeline();
  for (const { id } of batches) queueScript(pipeline, newestSteps, { rate: keys.rate(id) }, {});
  const replies = (await pipeline.exec()) ?? [];
  return batches.map(({ startedAt, createdAt }, index) => {
    const [error, reply] = replies[index] ?? [new Error("no reply"), undefined];
    if (error && !isForeign(error)) throw error;
    if (error) return STANDS;
    const [time, ...texts] = reply as readonly [string, ...(string | null)[]]; // as the script returns it
    return speedOf(texts, { now: Number(time), begun: Date.parse(startedAt ?? createdAt) });
  });
}

/** Over the steps that lie in the window; the one that is filling counts for as long as it has run. */
function speedOf(
  texts: readonly (string | null)[],
  { now, begun }: { readonly now: number; readonly begun: number },
): Speed {
  const start = Math.floor(now / STEP_MS) * STEP_MS - WINDOW_MS;
  const recent = stepsOf(
    texts.filter((text) => text !== null),
    start,
  );
  // One that has just begun did nothing before, and that says nothing of its speed.
  const seconds = Math.max(1000, now - Math.max(start, begun)) / 1000;
  const sum = (field: "objects" | "bytes") => recent.reduce((total, step) => total + step[field], 0) / seconds;
  return { objects: sum("objects"), bytes: sum("bytes") };
}
