import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../clients/command.ts";
import { type Packed, snippet } from "./packed.ts";

const MOST_SECONDS = 60;

/** Does what README says after `npm install`: starts the sandbox and a worker, and runs both programs. */
export async function firstJobs({ root, main, node, install }: Packed): Promise<string> {
  const cwd = await install("first", [main]);
  const started = performance.now();
  const commands = (await snippet(root, "README.md", "sh first")).replace("npm install bucketline\n", "");
  await writeFile(join(cwd, "first.mjs"), await snippet(root, "README.md", "js first.mjs"));
  await writeFile(join(cwd, "first.cjs"), await snippet(root, "README.md", "js first.cjs"));
  // Left running in the background, as README leaves them; they end with this shell's input.
  const shell = spawn("bash", ["-c", `${commands}\nenv > ready\nread -r _\nkill $(jobs -p)\nwait`], {
    cwd,
    stdio: ["pipe", "ignore", "inherit"],
  });
  try {
    const env = await settingsOf(join(cwd, "ready"));
    const run = (file: string) => command(node, [file], { cwd, timeout: 50_000, env });
    const module = await run("first.mjs");
    const seconds = (performance.now() - started) / 1000;
    const commonjs = await run("first.cjs");
    if (!module.includes("inbox") || module !== commonjs) throw new Error(`got ${module} and ${commonjs}`);
    if (seconds > MOST_SECONDS) throw new Error(`the first job took ${seconds.toFixed(1)} s`);
    return `done ${seconds.toFixed(1)} s after the install`;
  } finally {
    shell.stdin.end("\n");
    if (shell.exitCode === null) await once(shell, "exit");
  }
}

/** What the shell exported by then. */
async function settingsOf(file: string): Promise<NodeJS.ProcessEnv> {
  for (let tries = 0; tries < 600; tries++) {
    const text = await readFile(file, "utf8").catch(() => "");
    const lines = text.split("\n").map((line) => line.split(/=([^]*)/));
    if (text !== "") return Object.fromEntries(lines.map(([name = "", value = ""]) => [name, value]));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("README's commands did not come to their end within a minute");
}
