#!/usr/bin/env node
// oxlint-disable-next-line import/no-unassigned-import -- it ends what an old Node could not run, and exports nothing
import "../model/exit-on-old-node.ts";
import { createRequire } from "node:module";
import { Command } from "commander";
import type { Environment } from "./environment.ts";
import { printableLines } from "./printable.ts";
import { EXIT, exitOnUsageErrors } from "./usage-exit.ts";

/** An error that another one followed while things were put away is told first. */
function told(error: unknown): string {
  if (error instanceof SuppressedError) return `${told(error.suppressed)}\n${told(error.error)}`;
  return error instanceof Error ? error.message : String(error);
}

type MakeCommand = (environment: Environment) => Command;

/** Each is loaded when it is asked for, so that none waits for what others need. */
const commands: Readonly<Record<string, () => Promise<MakeCommand>>> = {
  ls: async () => (await import("./commands/ls.ts")).lsCommand,
  get: async () => (await import("./commands/get.ts")).getCommand,
  put: async () => (await import("./commands/put.ts")).putCommand,
  rm: async () => (await import("./commands/rm.ts")).rmCommand,
  cp: async () => (await import("./commands/cp.ts")).cpCommand,
  mv: async () => (await import("./commands/mv.ts")).mvCommand,
  batch: async () => (await import("./commands/batch.ts")).batchCommand,
  worker: async () => (await import("./commands/worker.ts")).workerCommand,
  dashboard: async () => (await import("./commands/dashboard.ts")).dashboardCommand,
  check: async () => (await import("./commands/check.ts")).checkCommand,
  conformance: async () => (await import("./commands/conformance.ts")).conformanceCommand,
  "seal-keys": async () => (await import("./commands/seal-keys.ts")).sealKeysCommand,
  sandbox: async () => (await import("./commands/sandbox.ts")).sandboxCommand,
  tour: async () => (await import("./commands/tour.ts")).tourCommand,
};

const environment: Environment = { env: process.env, cwd: process.cwd(), terminal: process.stdout.isTTY };

const { version } = createRequire(import.meta.url)("bucketline/package.json") as { version: string }; // ours
const program = new Command("bucketline")
  .description("Jobs and batches for Amazon S3 and S3-compatible stores, through Redis.")
  .version(version)
  .showHelpAfterError("(try --help)");
// Whoever reads has enough, as in `bucketline ls | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? EXIT.fine : EXIT.problem);
});
const [, , asked = ""] = process.argv;
const named = Object.hasOwn(commands, asked) ? [commands[asked]] : Object.values(commands);
for (const load of named) if (load !== undefined) program.addCommand((await load())(environment));
exitOnUsageErrors(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(printableLines(told(error)));
  process.exitCode = EXIT.problem;
}
