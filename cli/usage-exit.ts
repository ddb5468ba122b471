import type { Command } from "commander";

/** What every command exits with; docs/cli.md. */
export const EXIT = { fine: 0, problem: 1, usage: 2, interrupted: 130 } as const;

/** Wrong usage of a command or of those below it ends the process with 2, and `--help` with 0. */
export function exitOnUsageErrors(command: Command): void {
  command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.fine : EXIT.usage));
  for (const below of command.commands) exitOnUsageErrors(below);
}
