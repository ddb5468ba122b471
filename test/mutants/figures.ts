import type { Mutant } from "./change.ts";

/** What keeps figures true, and batches from standing still behind others. */
export const figureMutants: readonly Mutant[] = [
  {
    rule: "a chunk that had a turn comes back behind all who wait",
    file: "batches/chunk-processor.ts",
    find: "if (again.behind !== undefined) await",
    replace: "if (false) await",
    test: "batches/fairness.test.ts",
  },
  {
    rule: "a batch's speed is told by the clock that its steps were stamped by",
    file: "dashboard/watch/speeds.ts",
    find: "now: Number(time)",
    replace: "now: Date.now()",
    test: "dashboard/watch/speeds.test.ts",
  },
  {
    rule: "who is alive is told by Redis' clock",
    file: "dashboard/watch/redis-clock.ts",
    find: "Date.now() - (await skew())",
    replace: "Date.now() - 0 * (await skew())",
    test: "dashboard/watch/overview.test.ts",
  },
  {
    rule: "a delay is no wait",
    file: "dashboard/watch/scripts/ready-at.lua",
    find: "at = at + (tonumber(opts.delay) or 0)",
    replace: "at = at",
    test: "dashboard/watch/throughput.test.ts",
  },
];
