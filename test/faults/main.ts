/**
 * The fault campaigns. `npm run test:faults` runs moves and batches whole; with `-- move [part of a case's name]` or
 * `-- batches [--runs N] [--objects N] [--seed N]` one; with `-- --sample [--seed N]` a part of each. `-- redis [part of a name, such as
 * "cluster kill"] [--runs N] [--objects N]` takes the servers of Redis away under batches; `-- rivals [part of a name]` has others in the way. Ends with 1 where a promise did not hold.
 */
import { parseArgs } from "node:util";
import { runBatchFaults } from "./batches/campaign.ts";
import { runMoveFaults } from "./move/campaign.ts";
import { runRedisFaults } from "./redis/campaign.ts";
import { runRivals } from "./rivals/campaign.ts";

const WHOLE = { runs: 30, objects: 20_000 } as const;
const REDIS = { rounds: 10, objects: 50_000 } as const;
const RIVALS = { runs: 3, objects: 3000 } as const;
/** What fits into a minute and a half. */
const SAMPLE = { cases: 60, runs: 2, objects: 4000 } as const;

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
if (!["both", "move", "batches", "redis", "rivals"].includes(campaign))
  throw new Error(`expected move, batches, redis or rivals, got ${campaign}`);

// The processes of a campaign end with it, however it ends; each of them listens for that.
process.setMaxListeners(0);
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    console.log(`ended by ${signal}`);
    process.exit(130);
  });

const total = { cases: 0, failures: 0 };
const add = ({ cases, failures }: typeof total) => {
  total.cases += cases;
  total.failures += failures;
};
if (campaign === "redis")
  add(
    await runRedisFaults({
      rounds: count("runs", values.runs) ?? REDIS.rounds,
      objects: count("objects", values.objects) ?? REDIS.objects,
      filter,
    }),
  );
if (campaign === "rivals" || (campaign === "both" && !values.sample))
  add(
    await runRivals({
      runs: count("runs", values.runs) ?? RIVALS.runs,
      objects: count("objects", values.objects) ?? RIVALS.objects,
      seed,
      filter: campaign === "rivals" ? filter : undefined,
    }),
  );
if (campaign === "both" || campaign === "move")
  add(await runMoveFaults({ filter, ...(values.sample && { sample: { seed, cases: SAMPLE.cases } }) }));
if (campaign === "both" || campaign === "batches") {
  const { runs, objects } = values.sample ? SAMPLE : WHOLE;
  add(
    await runBatchFaults({
      runs: count("runs", values.runs) ?? runs,
      objects: count("objects", values.objects) ?? objects,
      seed,
    }),
  );
}
console.log(`${total.cases - total.failures} passed, ${total.failures} failed`);
process.exitCode = total.failures === 0 ? 0 : 1;

function count(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new Error(`--${name}: expected a number, got ${text}`);
  return Number(text);
}
