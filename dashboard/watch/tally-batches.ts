import type { BatchStore } from "../../batches/state/store.ts";
import { unlessForeign } from "../../redis/foreign.ts";
import { loadScript } from "../../redis/scripts/load.ts";
import { replyList, replyText, runScript } from "../../redis/scripts/run.ts";

export type BatchTally = {
  readonly states: Readonly<Record<string, number>>;
  readonly objects: Readonly<Record<"listed" | "succeeded" | "failed" | "skipped", number>>;
  /** Batches that ended since ever, by state. */
  readonly ended: Readonly<Record<string, number>>;
};

const script = loadScript(new URL("./scripts/tally-batches.lua", import.meta.url), {
  keys: ["active"],
  args: ["records", "offset", "count"],
});

/** Batches that one call looks at: a few milliseconds of Redis. */
const SLICE = 500;

/** States of the batches that have not come to rest, and their objects by outcome. */
export async function tallyBatches({ redis, keys }: BatchStore): Promise<BatchTally> {
  const states = new Map<string, number>();
  const sums = [0, 0, 0, 0];
  for (let offset = 0; ; offset += SLICE) {
    const args = { records: keys.record(""), offset, count: SLICE };
    const [count, objects, found] = replyList(await runScript(redis, script, { active: keys.active() }, args));
    for (const [index, sum] of replyList(objects ?? []).entries())
      sums[index] = (sums[index] ?? 0) + amount(replyText(sum));
    const flat = replyList(found ?? []).map(replyText);
    for (let at = 0; at < flat.length; at += 2)
      states.set(flat[at] ?? "", (states.get(flat[at] ?? "") ?? 0) + Number(flat[at + 1]));
    if (Number(count) < SLICE) break;
  }
  const [listed = 0, succeeded = 0, failed = 0, skipped = 0] = sums;
  const ended = Object.entries(await unlessForeign(redis.hgetall(keys.ended()), {}));
  return {
    states: Object.fromEntries(states),
    objects: { listed, succeeded, failed, skipped },
    ended: Object.fromEntries(ended.map(([state, count]) => [state, amount(count)])),
  };
}

/** A count; nothing where something else was written in its place. */
function amount(given: string): number {
  const count = Number(given);
  return Number.isFinite(count) && count > 0 ? count : 0;
}
