import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { childEnv } from "../test/child-env.ts";
import { runCli } from "./command-harness.ts";
import { SHELLS } from "./completion-script.ts";

/** Sources the script and prints what each line is completed with; of zsh, without its editor, what the function hands over. */
const ASK = {
  bash: `source "$SCRIPT"; ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _bucketline; echo "\${COMPREPLY[@]}"; }`,
  zsh: `compdef() { [ "$1 $2" = "_bucketline bucketline" ] }; compadd() { shift; print -r -- $@ }; source "$SCRIPT"
    ask() { local words=("$@") CURRENT=$#; _bucketline }`,
  fish: `source "$SCRIPT"; function ask; complete -C (string join " " -- $argv) | string join " "; end`,
};
const LINES = `
ask bucketline ba
ask bucketline batch re
ask bucketline batch start copy --ta
ask bucketline ls s3://photos --rec`;

const isThere = (shell: string) => spawnSync(shell, ["-c", "true"]).error === undefined;

/** bash always is there; `npm test` installs the others where it can, and says where it cannot. */
test.each(SHELLS)("prints a script for %s that knows commands and options", async (shell) => {
  const { code, stdout: script } = await runCli(["completion", shell]);
  expect(code).toBe(0);
  expect(script).toContain("presign");
  expect(script).toMatch(shell === "fish" ? /-l recursive/ : /--recursive/);
});

describe.each(SHELLS)("in %s", (shell) => {
  // Skipped only where that shell is missing; CI installs them.
  test.skipIf(!isThere(shell))("commands and options are completed", async () => {
    const { stdout: script } = await runCli(["completion", shell]);
    const folder = await mkdtemp(join(tmpdir(), "bucketline-completion-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const SCRIPT = join(folder, "script");
    await writeFile(SCRIPT, script);
    const options = { env: { ...childEnv(), HOME: folder, SCRIPT }, encoding: "utf8" } as const;
    const { stdout, stderr } = spawnSync(shell, ["-c", ASK[shell] + LINES], options);
    expect(stderr).toBe("");
    const found = stdout.trim().split("\n");
    expect(found).toHaveLength(4);
    const wanted = [["batch"], ["report", "resume", "retry"], ["--tag"], ["--recursive"]];
    for (const [index, names] of wanted.entries())
      expect(found[index]?.split(" ")).toEqual(expect.arrayContaining(names));
  });
});
