import { findPlanted } from "./find-planted.ts";
import { installClock } from "./clock.ts";

/*
 * Histories of moves, copies, deletes and batches over a store of the model, with everything that can go wrong, drawn by seeds. The code is the
 * worker's own, from the queue's job to the request; store, Redis and time are the model's.
 *
 *   npm run test:model                              a million steps, some minutes
 *   npm run test:model -- --seed 7 --steps 50000    other histories
 *   npm run test:model -- --seed 19 --one           one history, told step by step where it ends badly
 *   npm run test:model -- --kind 1                  only histories of the first kind in profile.ts
 *   npm run test:model -- --planted [words]         bugs that it must find
 */
const STEPS = 1_000_000;
/** Steps after which all of this has come to a good end at least once: a model in which nothing is done finds nothing. */
const DONE_WITHIN = 8000;
const MUST_BE_DONE = [
  "move-object done",
  "copy-object done",
  "delete-object done",
  "move of a bucket done, rows",
  "copy of a bucket done, rows",
  "delete of a bucket done, rows",
];
/** Of histories that end badly so many are shown. */
const SHOWN = 5;

const args = process.argv.slice(2);
if (args[0] === "--planted") process.exit(findPlanted(args.slice(1).join(" ")) === 0 ? 0 : 1);

const option = (name: string, otherwise: number): number => {
  const at = args.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(args[at + 1]);
};
const wanted = option("steps", STEPS);
const first = option("seed", 1);
const shown = option("failures", 1);
const one = args.includes("--one");
const kind = option("kind", -1);

const started = process.hrtime.bigint();
installClock();
// Only now: the code under test takes the clock when it is loaded.
const { runHistory } = await import("./run.ts");
const { kindOf } = await import("./profile.ts");

const sums = { steps: 0, histories: 0, excused: 0, failed: 0 };
const met: Record<string, number> = {};
for (let seed = first; sums.steps < wanted && sums.failed < Math.min(shown, SHOWN); seed++) {
  if (kind >= 0 && kindOf(seed) !== kind) continue;
  const result = await runHistory(seed);
  sums.steps += result.steps;
  sums.histories += 1;
  sums.excused += result.excused;
  for (const [what, count] of Object.entries(result.met)) met[what] = (met[what] ?? 0) + count;
  if (result.violations.length > 0) {
    sums.failed += 1;
    console.log(`seed ${seed} (${result.kind}):\n  ${result.violations.join("\n  ")}`);
    if (one) console.log(result.log.join("\n"));
  }
  if (one) break;
}
const seconds = Number((process.hrtime.bigint() - started) / 1_000_000_000n);
const told = Object.entries(met).toSorted(([a], [b]) => (a < b ? -1 : 1));
console.log(told.map(([what, count]) => `${count} ${what}`).join(", "));
console.log(
  `model: ${sums.steps} steps in ${sums.histories} histories, ${sums.excused} losses that nobody can prevent, ${sums.failed} violations, ${seconds} s`,
);
const undone = MUST_BE_DONE.filter((what) => met[what] === undefined);
if (sums.steps >= DONE_WITHIN && kind < 0 && undone.length > 0) {
  console.log(`the model does not work: in all these histories there is no ${undone.join(", no ")}`);
  process.exit(1);
}
process.exit(sums.failed === 0 ? 0 : 1);
