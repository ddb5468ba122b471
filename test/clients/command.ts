import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Where a client is generated, and what it talks to. */
export type Clients = {
  readonly folder: string;
  /** The OpenAPI document's file. */
  readonly document: string;
  readonly url: string;
  readonly token: string;
};

/** Runs a program and gives what it printed; rejects with its last lines. */
export async function command(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly timeout?: number; readonly env?: NodeJS.ProcessEnv },
): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, {
      timeout: 240_000,
      maxBuffer: 64 * 1024 ** 2,
      ...options,
    });
    return stdout + stderr;
  } catch (error) {
    const { stdout = "", stderr = "", message = "" } = error as { stdout?: string; stderr?: string; message?: string }; // execFile's error
    const said = `${stdout}${stderr}`.trim().split("\n").slice(-300).join("\n");
    throw new Error(said === "" ? message : `${program} ${args[0] ?? ""}:\n${said}`, { cause: error });
  }
}
