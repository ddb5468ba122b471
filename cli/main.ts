#!/usr/bin/env node
// oxlint-disable-next-line import/no-unassigned-import -- it ends what an old Node could not run, and exports nothing
import "../model/exit-on-old-node.ts";
import { Command } from "commander";
import { ActivityError } from "../model/activity-error.ts";
import { VERSION } from "../model/version.ts";
import type { Environment } from "./environment.ts";
import { COMMANDS, everyCommand } from "./every-command.ts";
import { jsonLine, printableLines } from "./printable.ts";
import { beQuiet } from "./say.ts";
import { EXIT, exitOnUsageErrors } from "./usage-exit.ts";

/** An error that another one followed while things were put away is told first. */
function told(error: unknown): string {
  if (error instanceof SuppressedError) return `${told(error.suppressed)}\n${told(error.error)}`;
  return error instanceof Error ? error.message : String(error);
}

/** What a program reads where it asked for JSON: the same fields as everywhere. */
function jsonError(error: unknown): object {
  if (error instanceof SuppressedError) return jsonError(error.suppressed);
  if (error instanceof ActivityError) return error.toJSON();
  return { code: "Problem", message: error instanceof Error ? error.message : String(error), retryable: false };
}

const environment: Environment = { env: process.env, cwd: process.cwd(), terminal: process.stdout.isTTY };

const program = new Command("bucketline")
  .description("Jobs and batches for Amazon S3 and S3-compatible stores, through Redis.")
  .version(VERSION)
  .option("-q, --quiet", "print results and errors, not what was done")
  .option("--reason <text>", "why, for the record of who did what")
  .hook("preAction", (_, command) => {
    const { quiet, reason } = command.optsWithGlobals<{ quiet?: true; reason?: string }>();
    if (quiet) beQuiet();
    if (reason !== undefined) environment.env["BUCKETLINE_REASON"] = reason;
  })
  .showHelpAfterError("(try --help)");
// Whoever reads has enough, as in `bucketline ls | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? EXIT.fine : EXIT.problem);
});
const asked = process.argv.slice(2).find((word) => !word.startsWith("-")) ?? "";
const load = Object.hasOwn(COMMANDS, asked) ? COMMANDS[asked] : undefined;
// One command is loaded where it is known which: none waits for what others need.
for (const command of load === undefined ? await everyCommand(environment) : [(await load())(environment)])
  program.addCommand(command);
exitOnUsageErrors(program);

try {
  await program.parseAsync();
} catch (error) {
  if (process.argv.includes("--json")) console.error(jsonLine({ error: jsonError(error) }));
  else console.error(printableLines(told(error)));
  process.exitCode = EXIT.problem;
}
