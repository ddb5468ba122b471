import { Argument, Command } from "commander";
import type { Environment } from "../environment.ts";
import { completionScript, SHELLS, type Shell } from "../completion-script.ts";

/** `bucketline completion`: a script that completes commands and options in a shell. */
export function completionCommand(_environment: Environment): Command {
  const command = new Command("completion")
    .description("print a script that completes commands and options in your shell")
    .addArgument(new Argument("<shell>", "your shell").choices([...SHELLS]))
    .addHelpText(
      "after",
      `
Examples:
  1. source <(bucketline completion bash)
  2. bucketline completion zsh > ~/.zfunc/_bucketline
  3. bucketline completion fish > ~/.config/fish/completions/bucketline.fish`,
    );
  return command.action(async (shell: Shell) => {
    const { everyCommand } = await import("../every-command.ts");
    console.log(completionScript(shell, await everyCommand({ env: {}, cwd: ".", terminal: false })));
  });
}
