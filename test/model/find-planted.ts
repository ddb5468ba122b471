import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { openScratch } from "../mutants/scratch.ts";
import { planted } from "./planted.ts";

/** So many steps at most until a bug is found. */
const MOST_STEPS = 400_000;

/** Plants each bug in turn and lets the model look for it; returns how many it did not find. */
export function findPlanted(words: string): number {
  const chosen = planted.filter(({ rule }) => rule.includes(words));
  const scratch = openScratch();
  let missed = 0;
  for (const bug of chosen) {
    const said = scratch.without(bug, () => {
      const args = [join(scratch.folder, "test/model/main.ts"), "--steps", String(MOST_STEPS)];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: scratch.folder, encoding: "utf8" });
      const lines = stdout.trim().split("\n");
      if (status === 1 && / 1 violations/.test(lines.at(-1) ?? ""))
        return `found  after ${lines.at(-1)?.match(/\d+ steps/)?.[0] ?? ""}`;
      return `${status === 0 ? "MISSED" : stderr} ${lines.at(-1) ?? ""}`;
    });
    if (!said.startsWith("found")) missed += 1;
    console.log(`${said}: ${bug.rule}${said.startsWith("found") ? "" : " (it was expected to be found)"}`);
  }
  console.log(`${chosen.length - missed} of ${chosen.length} planted bugs were found`);
  return missed;
}
