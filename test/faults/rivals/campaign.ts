import { createRandom } from "../random.ts";
import { crossing } from "./crossing.ts";
import { cutOffWorker } from "./cut-off-worker.ts";
import { reusedIds } from "./reused-ids.ts";
import { rewrittenSources } from "./rewritten-sources.ts";
import type { Rival } from "./encounter.ts";
import { rollback } from "./rollback.ts";
import { wrongClocks } from "./wrong-clocks.ts";

const RIVALS: readonly Rival[] = [crossing, rewrittenSources, cutOffWorker, reusedIds, wrongClocks, rollback];

export type RivalCampaign = {
  /** Of each rival. */
  readonly runs: number;
  readonly objects: number;
  readonly seed: number;
  /** A part of a rival's name. */
  readonly filter?: string | undefined;
};

/** What others do to moves: each judged by what is in the store, and not by what rows say. Returns how many runs there were, and failures. */
export async function runRivals({ runs, objects, seed, filter = "" }: RivalCampaign) {
  const total = { cases: 0, failures: 0 };
  for (const rival of RIVALS.filter(({ name }) => name.includes(filter)))
    for (let run = seed; run < seed + runs; run++) {
      const startedAt = performance.now();
      const problems = await rival.run({ objects }, createRandom(run).fork(rival.name)).catch((error: unknown) => {
        const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
        return [`the run itself failed: ${words}`];
      });
      total.cases += 1;
      if (problems.length > 0) total.failures += 1;
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      console.log(
        `${rival.name}, seed ${run}: ${problems.length === 0 ? "nothing lost, nothing untrue" : "FAILED"}, ${seconds} s`,
      );
      for (const problem of problems) console.log(`FAILED ${rival.name}, seed ${run}: ${problem}`);
    }
  console.log(`rivals: ${total.cases} runs of ${objects} objects, ${total.failures} failures`);
  return total;
}
