import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";

/** The program on the PATH, or `undefined`. */
export function findProgram(name: string, path: string): string | undefined {
  for (const folder of path.split(delimiter)) {
    const program = join(folder, name);
    try {
      accessSync(program, constants.X_OK);
      return program;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** Runs a program to its end and gives what it printed. Throws with its own words where it fails. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { env, stack }: { readonly env: NodeJS.ProcessEnv; readonly stack: AsyncDisposableStack },
): Promise<string> {
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close");
  stack.defer(() => void (child.exitCode === null && child.kill("SIGKILL")));
  const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (child.exitCode !== 0) throw new Error(`${program} ended with ${child.exitCode}: ${complaint.slice(-1000)}`);
  return output;
}
