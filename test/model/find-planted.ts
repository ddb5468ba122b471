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
  const run = (args: readonly string[]): Said => {
    const main = join(scratch.folder, "test/model/main.ts");
    return spawnSync(process.execPath, [main, ...args], { cwd: scratch.folder, encoding: "utf8" });
  };
  let missed = 0;
  for (const bug of chosen) {
    const search = (): Said => run(["--steps", String(MOST_STEPS)]);
    const { also } = bug;
    const said = scratch.without(bug, also === undefined ? search : () => scratch.without(also, search));
    const found = typeof said === "string" ? undefined : foundBy(said, (seed) => run(["--seed", seed, "--one"]));
    if (found === undefined) missed += 1;
    console.log(found === undefined ? `MISSED ${bug.rule}: ${tellOf(said)}` : `found after ${found}: ${bug.rule}`);
  }
  console.log(`${chosen.length - missed} of ${chosen.length} planted bugs were found`);
  return missed;
}

type Said = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

/** After how many steps; `undefined` where the history that ended badly does so without the bug too. */
function foundBy({ status, stdout }: Said, withoutBug: (seed: string) => Said): string | undefined {
  const [, seed] = /^seed (\d+) /m.exec(stdout) ?? [];
  if (status !== 1 || seed === undefined || withoutBug(seed).status !== 0) return undefined;
  return /\d+ steps/.exec(stdout)?.[0];
}

function tellOf(said: Said | string): string {
  return typeof said === "string" ? said : `${said.stderr}${said.stdout.trim().split("\n").at(-1) ?? ""}`;
}
