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
 */
const words = process.argv.slice(2).join(" ");
const chosen = mutants.filter(({ rule, file }) => `${rule} ${file}`.includes(words));
const scratch = openScratch();

type Run = { readonly failed: number; readonly passed: number };

/** Only tests that ran and failed count: a file that does not even load says nothing about a rule. */
function runTests(files: readonly string[]): Run {
  const report = join(scratch.folder, "report.json");
  rmSync(report, { force: true });
  const args = [
    join(scratch.folder, "node_modules/vitest/vitest.mjs"),
    "run",
    ...files,
    "--reporter=json",
    `--outputFile=${report}`,
  ];
  // A mutant may hang: that is red too, but not for ever.
  const timeout = 240_000 * files.length;
  const ended = spawnSync(process.execPath, [...args, "--testTimeout=30000"], {
    cwd: scratch.folder,
    encoding: "utf8",
    timeout,
  });
  if (ended.error !== undefined) return { failed: 1, passed: 0 };
  const { numFailedTests, numPassedTests } = JSON.parse(readFileSync(report, "utf8")) as {
    readonly numFailedTests: number;
    readonly numPassedTests: number;
  };
  return { failed: numFailedTests, passed: numPassedTests };
}

/** What became of a mutant; `undefined` where a test turned red. */
function survives(mutant: Mutant): string | undefined {
  return scratch.without(mutant, () => {
    const { failed, passed } = runTests([mutant.test]);
    if (failed > 0) return undefined;
    return passed === 0 ? `${mutant.test} did not run` : `${mutant.test} stays green`;
  });
}

const sound = runTests([...new Set(chosen.map(({ test }) => test))]);
if (sound.failed > 0 || sound.passed === 0) {
  console.error(`expected the tests to be green without a change: ${sound.failed} failed, ${sound.passed} passed`);
  process.exit(1);
}
let survivors = 0;
for (const mutant of chosen) {
  const why = survives(mutant);
  if (why !== undefined) survivors += 1;
  console.log(`${why === undefined ? "killed  " : "SURVIVES"}  ${mutant.rule}${why === undefined ? "" : `: ${why}`}`);
}
console.log(`${chosen.length - survivors} of ${chosen.length} rules are missed by a test when they are gone`);
process.exitCode = survivors === 0 && chosen.length > 0 ? 0 : 1;
