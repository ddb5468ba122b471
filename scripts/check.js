// `npm test`: every check of the project and the tests of its code, all of them even when one fails, and an honest total at the end.
// `npm test -- <pattern>` narrows the tests (not the checks) to the files that vitest matches with it.
// `scripts/check.js --project NAME`, as in `npm run test:cluster`: that project of vitest.config.ts, and no checks.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { countTests } from "./count-tests.js";
import { runStep } from "./run-step.js";

/** What `npm test` runs; the other projects have commands and stages of CI of their own. */
const PROJECTS = ["one server", "together"];

const { scripts } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const [option, project, ...more] = process.argv.slice(2);
const own = option === "--project";
const scratch = mkdtempSync(join(tmpdir(), "bucketline-check-"));
const report = join(scratch, "vitest.json");
const total = { passed: 0, failed: 0 };

try {
  if (own) await tests([project], more);
  else {
    // Two lanes for two cores; the tests then have the machine to themselves, for some of them measure time.
    await Promise.all([
      checks("types", "types:pages", "lint", "format:check"),
      // The last two look into what the build made.
      checks("deadcode", "build", "package:check", "package:types"),
    ]);
    await tests(PROJECTS, process.argv.slice(2));
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

/** Runs scripts of package.json one after the other. */
async function checks(...names) {
  /** What is packed for a look need not be built once more. */
  let env = {};
  for (const name of names) {
    const { code } = await runStep(name, scripts[name], { env });
    if (name === "build" && code === 0) {
      env = { npm_config_ignore_scripts: "true" };
      // Tests of what is published need not make it once more either.
      process.env.BUILT_BEFORE_TESTS = join(import.meta.dirname, "../dist");
    }
    if (code === 0) total.passed += 1;
    else total.failed += 1;
  }
}

async function tests(projects, filters) {
  const named = projects.map((name) => `--project=${name}`);
  const args = [...named, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...filters];
  const { code } = await runStep("unit", scripts.unit, { args, live: true });
  const { passed, failed, notes } = countTests({ report, code });
  for (const note of notes) console.log(note);
  total.passed += passed;
  total.failed += failed;
}
