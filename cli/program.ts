import { Command, CommanderError } from "commander";
import { VERSION } from "../model/version.ts";
import type { Environment } from "./environment.ts";
import { COMMANDS, everyCommand } from "./every-command.ts";
import { speak } from "./output/say.ts";
import { tellError } from "./output/tell-error.ts";
import { EXIT, throwUsageErrors } from "./usage-exit.ts";

/** Runs one command to its end: it reads and prints through the streams of the process, and sets its exit code. */
export async function runProgram(words: readonly string[], environment: Environment): Promise<void> {
  const program = await createProgram(words, environment);
  try {
    await program.parseAsync(words, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      // It has said what is wrong; `--help` is an error to it, too.
      process.exitCode = error.exitCode === 0 ? EXIT.fine : EXIT.usage;
      return;
    }
    tellError(error, { json: asksForJson(words) });
    process.exitCode = EXIT.problem;
  }
}

/** Known before the options are read: what is wrong with them is told as JSON too. */
const asksForJson = (words: readonly string[]): boolean => words.includes("--json");

/** One command where it is known which, and none for the version: nobody waits for what others need. */
async function commandsFor(
  words: readonly string[],
  asked: string,
  environment: Environment,
): Promise<readonly Command[]> {
  if (asked === "" && words.some((word) => word === "--version" || word === "-V")) return [];
  const load = Object.hasOwn(COMMANDS, asked) ? COMMANDS[asked] : undefined;
  return load === undefined ? everyCommand(environment) : [(await load())(environment)];
}

async function createProgram(words: readonly string[], environment: Environment): Promise<Command> {
  const program = new Command("bucketline")
    .description("Jobs and batches for Amazon S3 and S3-compatible stores, through Redis.")
    .version(VERSION)
    .option("-q, --quiet", "print results and errors, not what was done")
    .option("--reason <text>", "why, for the record of who did what")
    .hook("preAction", (_, command) => {
      const { quiet = false, reason } = command.optsWithGlobals<{ quiet?: true; reason?: string }>();
      speak({ quiet, json: asksForJson(words) });
      if (reason !== undefined) environment.env["BUCKETLINE_REASON"] = reason;
    })
    .showHelpAfterError("(try --help)");
  const asked = words.find((word) => !word.startsWith("-")) ?? "";
  for (const command of await commandsFor(words, asked, environment)) program.addCommand(command);
  throwUsageErrors(program, { json: asksForJson(words) });
  return program;
}
