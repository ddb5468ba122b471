import { readFileSync } from "node:fs";

/**
 * What vitest's JSON report says, and what it leaves out: a file that could not be loaded holds no test yet failed, errors
 * outside any test only show in the exit code, and a run without one test has proven nothing. In CI a skipped test fails.
 */
export function countTests({ report, code, ci = Boolean(process.env.CI) }) {
  const notes = [];
  let json;
  try {
    json = JSON.parse(readFileSync(report, "utf8"));
  } catch (error) {
    return { passed: 0, failed: 1, notes: [`tests: vitest left no report (${error.message})`] };
  }
  const { numPassedTests: passed, numFailedTests, numPendingTests = 0, numTodoTests = 0, testResults = [] } = json;
  let failed = numFailedTests;
  for (const file of testResults) {
    const told = file.assertionResults.some(({ status }) => status === "failed");
    if (file.status !== "failed" || told) continue;
    failed += 1;
    notes.push(`tests: ${file.name} failed as a whole`);
  }
  const skipped = numPendingTests + numTodoTests;
  if (skipped > 0) {
    notes.push(`tests: ${skipped} skipped${ci ? ", which counts as failed in CI" : ""}`);
    if (ci) failed += skipped;
  }
  if (passed + failed === 0) {
    failed += 1;
    notes.push("tests: not one test ran");
  } else if (code !== 0 && failed === 0) {
    failed += 1;
    notes.push(`tests: vitest ended with ${code}, though every test passed: see the errors above`);
  }
  return { passed, failed, notes };
}
