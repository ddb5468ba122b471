import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Mutant } from "./change.ts";
import { mutants } from "./all.ts";
import { openScratch } from "./scratch.ts";

/*
 * Takes each safety rule out of the code in turn, in a copy of the project, and runs the test that should miss it. Ends with 1 where a rule can go
 * without any test turning red, or where a rule's line is not found any more.
 *
 *   npm run test:mutants                    all
 *   npm run test:mutants -- null-version    those whose name holds these words
 *
 * Under each rule stands which test turned red, and why: on a machine that is too busy that may be its time limit, and says nothing.
 */
const words = process.argv.slice(2).join(" ");
const chosen = mutants.filter(({ rule, file }) => `${rule} ${file}`.includes(words));
const scratch = openScratch();
/** For one test file. */
const MOST_MS = 240_000;

type Run = {
  readonly passed: number;
  /** The first test that turned red, and what it said; a run that never ends counts as one. */
  readonly red: { readonly title: string; readonly message: string } | undefined;
};
type Report = {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly status: string;
      readonly title: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
};

/** Only tests that ran and failed count: a file that does not even load says nothing about a rule. */
function runTests(file: string): Run {
  const report = join(scratch.folder, "report.json");
  rmSync(report, { force: true });
  const vitest = join(scratch.folder, "node_modules/vitest/vitest.mjs");
  // One red test is enough, and on a cluster the rules are the same.
  const args = [vitest, "run", file, "--project=!cluster", "--bail=1", "--reporter=json", `--outputFile=${report}`];
  const ended = spawnSync(process.execPath, [...args, "--testTimeout=30000"], {
    cwd: scratch.folder,
    encoding: "utf8",
    timeout: MOST_MS,
  });
  // A mutant may hang: that is red too, but not for ever.
  if (ended.error !== undefined) return { passed: 0, red: { title: file, message: ended.error.message } };
  const { numPassedTests, testResults } = JSON.parse(readFileSync(report, "utf8")) as Report; // vitest's own format
  const failed = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === "failed");
  const message = failed?.failureMessages[0]?.split("\n")[0] ?? "";
  return { passed: numPassedTests, red: failed && { title: failed.title, message } };
}

const sound = new Map<string, string | undefined>();

/** Why a test file says nothing of rules: it is red, or runs nothing, although nothing was changed. */
function whyUnsound(file: string): string | undefined {
  if (!sound.has(file)) {
    const { passed, red } = runTests(file);
    const why = red === undefined ? `${file} did not run` : `${file} is red without a change: ${red.title}`;
    sound.set(file, passed > 0 && red === undefined ? undefined : why);
  }
  return sound.get(file);
}

/** What became of a mutant. */
function tellOf(mutant: Mutant): { readonly killed: boolean; readonly how: string } {
  const unsound = whyUnsound(mutant.test);
  if (unsound !== undefined) return { killed: false, how: unsound };
  const told = scratch.without(mutant, () => runTests(mutant.test));
  if (typeof told === "string") return { killed: false, how: told };
  const { passed, red } = told;
  if (red !== undefined) return { killed: true, how: `${red.title}: ${red.message}` };
  return { killed: false, how: passed === 0 ? `${mutant.test} did not run` : `${mutant.test} stays green` };
}

let survivors = 0;
for (const mutant of chosen) {
  const { killed, how } = tellOf(mutant);
  if (!killed) survivors += 1;
  console.log(`${killed ? "killed  " : "SURVIVES"}  ${mutant.rule}\n            ${how}`);
}
console.log(`${chosen.length - survivors} of ${chosen.length} rules are missed by a test when they are gone`);
process.exitCode = survivors === 0 && chosen.length > 0 ? 0 : 1;
