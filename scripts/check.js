// `npm test`: every check of the project and every test, all of them even when one fails, and an honest total at the end.
// `npm test -- <pattern>` narrows the tests (not the checks) to the files that vitest matches with it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { countTests } from "./count-tests.js";
import { runStep } from "./run-step.js";

const filters = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), "bucketline-check-"));
const report = join(scratch, "vitest.json");
const total = { passed: 0, failed: 0 };

try {
  // Two lanes for two cores; the tests then have the machine to themselves, for some of them measure time.
  await Promise.all([
    checks([
      ["types", ["tsc", "--noEmit"]],
      ["lint", ["oxlint", "--type-aware", "--deny-warnings"]],
      ["format", ["oxfmt", "--check"]],
    ]),
    checks([
      ["dead code", ["knip"]],
      ["build", ["node", "scripts/build.js"]],
      ["package", ["publint", "--strict"]],
      ["package types", ["attw", "--pack", ".", "--profile", "esm-only"]],
    ]),
  ]);
  await tests();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

async function checks(steps) {
  for (const [name, command] of steps) {
    const { code } = await runStep(name, command);
    if (code === 0) total.passed += 1;
    else total.failed += 1;
  }
}

async function tests() {
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const { code } = await runStep("tests", ["vitest", "run", ...reporters, ...filters], { live: true });
  const { passed, failed, notes } = countTests({ report, code });
  for (const note of notes) console.log(note);
  total.passed += passed;
  total.failed += failed;
}
