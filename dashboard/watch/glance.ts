import type { BatchStore } from "../../batches/state/store.ts";
import { loadScript } from "../../redis/scripts/load.ts";
import { replyList, replyText, runScript } from "../../redis/scripts/run.ts";

const script = loadScript(new URL("./scripts/glance.lua", import.meta.url), {
  keys: ["active"],
  args: ["records", "most", "held", "count"],
});

/** Batches that are shown at a glance, and how many of them for standing still. */
const MOST = 8;
const HELD = 5;
/** Batches that are looked at: a few milliseconds of Redis. */
const LOOKED_AT = 1000;

/** Which batches to show of those at work, and how many these are. Paused ones and those with trouble go before the newest: of the rest nobody has to hear. */
export async function glanceAtBatches({
  redis,
  keys,
}: BatchStore): Promise<{ readonly ids: readonly string[]; readonly total: number }> {
  const args = { records: keys.record(""), most: MOST, held: HELD, count: LOOKED_AT };
  const [total, ids] = replyList(await runScript(redis, script, { active: keys.active() }, args));
  return { ids: replyList(ids ?? []).map(replyText), total: Number(total) };
}
