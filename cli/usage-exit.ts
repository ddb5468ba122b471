import type { Command } from "commander";
import { ActivityError } from "../model/activity-error.ts";
import { printableLines } from "./output/printable.ts";
import { tellError } from "./output/tell-error.ts";

/** What every command exits with; docs/cli.md. */
export const EXIT = { fine: 0, problem: 1, usage: 2, interrupted: 130 } as const;

/** Wrong usage of a command or of those below it, and `--help`, throw a CommanderError once all about it was printed. */
export function throwUsageErrors(command: Command, { json }: { readonly json: boolean }): void {
  command.exitOverride();
  // What is repeated of an argument may come from a list of keys.
  command.configureOutput({ outputError: (text, write) => write(printableLines(text)) });
  if (json)
    command.showHelpAfterError(false).configureOutput({
      outputError: (text) => {
        const message = text
          .trim()
          .replace(/^error: /, "")
          .replaceAll("\n", " ");
        tellError(new ActivityError("InvalidInput", message), { json });
      },
    });
  for (const below of command.commands) throwUsageErrors(below, { json });
}
