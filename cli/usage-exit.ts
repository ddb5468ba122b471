import type { Command } from "commander";

/** What every command exits with; docs/cli.md. */
export const EXIT = { fine: 0, problem: 1, usage: 2, interrupted: 130 } as const;

/** Wrong usage of a command or of those below it, and `--help`, throw a CommanderError once all about it was printed. */
export function throwUsageErrors(command: Command): void {
  command.exitOverride();
  for (const below of command.commands) throwUsageErrors(below);
}
