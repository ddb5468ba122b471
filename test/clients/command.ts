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

const TIMEOUT_MS = 240_000;

/** What execFile rejects with; `killed` where it took too long. */
type Failed = {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly message?: string;
  readonly killed?: boolean;
};

/** Runs a program and gives what it printed; rejects with its last lines. */
export async function command(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly timeout?: number; readonly env?: NodeJS.ProcessEnv },
): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, {
      timeout: TIMEOUT_MS,
      maxBuffer: 64 * 1024 ** 2,
      ...options,
    });
    return stdout + stderr;
  } catch (error) {
    const { stdout = "", stderr = "", message = "", killed = false } = error as Failed;
    const seconds = (options.timeout ?? TIMEOUT_MS) / 1000;
    if (killed) throw new Error(`${program} ${args.join(" ")}: not done within ${seconds} s`, { cause: error });
    const said = `${stdout}${stderr}`.trim().split("\n").slice(-300).join("\n");
    throw new Error(said === "" ? message : `${program} ${args[0] ?? ""}:\n${said}`, { cause: error });
  }
}
