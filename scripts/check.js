// `npm test`: every check of the project and every test, all of them even when one fails, and an honest total at the end.
// `npm test -- <pattern>` narrows the tests (not the checks) to the files that vitest matches with it.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { countTests } from "./count-tests.js";
import { runStep } from "./run-step.js";

const { scripts } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const filters = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), "bucketline-check-"));
const report = join(scratch, "vitest.json");
const total = { passed: 0, failed: 0 };

try {
  // Two lanes for two cores; the tests then have the machine to themselves, for some of them measure time.
  await Promise.all([
    checks("types", "types:pages", "lint", "format:check"),
    // The last two look into what the build made.
    checks("deadcode", "build", "package:check", "package:types"),
  ]);
  await tests();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

/** Runs scripts of package.json one after the other. */
async function checks(...names) {
  for (const name of names) {
    const { code } = await runStep(name, scripts[name]);
    // Tests of what is published need not make it once more.
    if (name === "build" && code === 0) process.env.BUILT_BEFORE_TESTS = join(import.meta.dirname, "../dist");
    if (code === 0) total.passed += 1;
    else total.failed += 1;
  }
}

async function tests() {
  const args = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...filters];
  const { code } = await runStep("unit", scripts.unit, { args, live: true });
  const { passed, failed, notes } = countTests({ report, code });
  for (const note of notes) console.log(note);
  total.passed += passed;
  total.failed += failed;
}
