/**
 * The fault campaigns. `npm run test:faults` runs both whole; with `-- move [part of a case's name]` or
 * `-- batches [--runs N] [--objects N] [--seed N]` one; with `-- --sample [--seed N]` a part of each. Ends with 1 where a promise did not hold.
 */
import { parseArgs } from "node:util";
import { runBatchFaults } from "./batches.ts";
import { runMoveFaults } from "./move.ts";

const RUNS = 30;
const OBJECTS = 20_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string" },
    objects: { type: "string" },
    seed: { type: "string" },
    sample: { type: "boolean", default: false },
  },
});
const seed = count("seed", values.seed) ?? Math.floor(Math.random() * 1e6);
const [campaign = "both", filter] = positionals;
if (!["both", "move", "batches"].includes(campaign)) throw new Error(`expected move or batches, got ${campaign}`);

// The processes of a campaign end with it, however it ends.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

let failures = 0;
if (campaign !== "batches")
  failures += await runMoveFaults({ filter, ...(values.sample && { sample: { seed, cases: 60 } }) });
if (campaign !== "move")
  failures += await runBatchFaults({
    runs: count("runs", values.runs) ?? (values.sample ? 2 : RUNS),
    objects: count("objects", values.objects) ?? (values.sample ? 5000 : OBJECTS),
    seed,
  });
process.exitCode = failures === 0 ? 0 : 1;

function count(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new Error(`--${name}: expected a number, got ${text}`);
  return Number(text);
}
