import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);

// In a process of its own, as it replaces the clock.
test(
  "a few thousand steps of the model lose nothing and claim nothing that is not so",
  { timeout: 120_000 },
  async () => {
    const main = join(import.meta.dirname, "main.ts");
    const { stdout } = await run(process.execPath, [main, "--steps", "8000", "--seed", "1"]);
    expect(stdout).toMatch(/ 0 violations/);
  },
);
