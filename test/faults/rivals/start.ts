import { startStack } from "../../stack.ts";
import type { Random } from "../random.ts";
import { numbered, type Size } from "./encounter.ts";
import { createLedger } from "./ledger.ts";

/** Two buckets and `objects` in the first, at a store that enforces conditions in half of all runs, and a ledger of what was written. */
export async function startBetween(buckets: readonly [string, string], { objects }: Size, random: Random) {
  const enforcing = random.next() < 0.5;
  const stack = await startStack({
    sandbox: { enforceConditions: enforcing, logSize: 0 },
    profile: { conditionalDelete: enforcing, conditionalCopy: enforcing, conditionalWrite: enforcing },
  });
  const ledger = createLedger(stack.sandbox);
  for (const bucket of buckets) stack.sandbox.createBucket(bucket);
  const keys = numbered(objects);
  for (const key of keys) ledger.write(buckets[0], key);
  return { ...stack, ledger, keys };
}
