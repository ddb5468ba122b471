/** The batch campaign: moves of many objects, each run through other troubles; prints every run, each failure and the figures. */
import { batchRun } from "./kinds.ts";
import { type BatchResult, runBatch } from "./run-one.ts";
import { type Figures, noFigures } from "./scene.ts";

/** Much of a run is waiting for locks to run out, so two share the machine. */
const AT_ONCE = 2;

export type BatchCampaign = {
  readonly runs: number;
  readonly objects: number;
  /** The first run's; every run has the next. */
  readonly seed: number;
};

/** Answers how many runs there were, and in how many a promise was broken. */
export async function runBatchFaults({
  runs,
  objects,
  seed,
}: BatchCampaign): Promise<{ cases: number; failures: number }> {
  console.log(
    `${runs} runs of up to ${objects} objects from seed ${seed}; one again: test:faults -- batches --runs 1 --seed <its seed>`,
  );
  const total = noFigures();
  let moved = 0;
  let failures = 0;
  let next = seed;
  const lane = async () => {
    while (next < seed + runs) {
      const run = batchRun(next++, objects);
      const startedAt = performance.now();
      const result = await runBatch(run).catch((error: unknown): BatchResult => {
        const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
        return { problems: [`the run itself failed: ${words}`], figures: noFigures(), status: undefined };
      });
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      add(total, result.figures);
      moved += result.status?.listed ?? 0;
      if (result.problems.length > 0) failures++;
      console.log(
        `seed ${run.seed} (${run.kind}${run.versioned ? ", versioned bucket" : ""}): ${describe(result)}, ${seconds} s`,
      );
      for (const problem of result.problems) console.log(`FAILED seed ${run.seed} (${run.kind}): ${problem}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  console.log(`batches under fault: ${runs} runs, ${moved} objects, ${list(total)}, ${failures} failures`);
  return { cases: runs, failures };
}

function add(total: Figures, figures: Figures): void {
  for (const name of Object.keys(total) as (keyof Figures)[]) total[name] += figures[name]; // the keys of this very record
}

function describe({ status, figures }: BatchResult): string {
  if (status === undefined) return `no end; ${list(figures)}`;
  const { state, listed, succeeded, failed, skipped, unattempted, errors } = status;
  const codes = Object.entries(errors).map(([code, count]) => `${code} ${count}`);
  const why = codes.length === 0 ? "" : ` (${codes.join(", ")})`;
  return `${state}, ${listed} listed: ${succeeded} succeeded, ${failed} failed${why}, ${skipped} skipped, ${unattempted} unattempted; ${list(figures)}`;
}

function list({ kills, redisRestarts, faults, overwrites, duplicates, pauses }: Figures): string {
  return `${kills} kills, ${redisRestarts} Redis restarts, ${faults} faults, ${overwrites} overwrites, ${duplicates} double deliveries, ${pauses} pauses`;
}
