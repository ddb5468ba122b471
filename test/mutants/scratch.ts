import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Mutant } from "./change.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A copy of the project that may be broken; it goes with this process. */
export type Scratch = {
  readonly folder: string;
  /** Runs `work` while one rule is taken out. Returns why that was not possible, or what `work` returns. */
  without<Result>(mutant: Pick<Mutant, "file" | "find" | "replace">, work: () => Result): Result | string;
};

export function openScratch(): Scratch {
  const folder = mkdtempSync(join(tmpdir(), "bucketline-mutants-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const files = execFileSync("git", ["ls-files", "-z", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" });
  for (const path of files.split("\0")) {
    if (path === "") continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(root, path), join(folder, path));
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return {
    folder,
    without({ file, find, replace }, work) {
      const path = join(folder, file);
      const sound = readFileSync(path, "utf8");
      const found = sound.split(find).length - 1;
      if (found !== 1) return `expected its line once in ${file}, found it ${found} times`;
      const broken = sound.replace(find, () => replace);
      writeFileSync(path, broken);
      try {
        return work();
      } finally {
        writeFileSync(path, sound);
      }
    },
  };
}
