import type { Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** A command by its words after `bucketline`, and what may follow it. */
type Place = { readonly words: string; readonly next: readonly string[] };

/** The script for a shell, made from the commands themselves. */
export function completionScript(shell: Shell, commands: readonly Command[]): string {
  const root: Place = { words: "", next: [...commands.map((command) => command.name()), "--help", "--version"] };
  const places = [root, ...commands.flatMap((command) => placesOf(command, ""))];
  return { bash, zsh, fish }[shell](places);
}

function placesOf(command: Command, before: string): Place[] {
  const words = before === "" ? command.name() : `${before} ${command.name()}`;
  const options = command.options.flatMap(({ long }) => (long ? [long] : []));
  const next = [...command.commands.map((below) => below.name()), ...options, "--quiet", "--help"];
  return [{ words, next }, ...command.commands.flatMap((below) => placesOf(below, words))];
}

function cases(places: readonly Place[]): string {
  return places.map(({ words, next }) => `    "${words}") found="${next.join(" ")}" ;;`).join("\n");
}

// The words before the cursor that are no options: at most two of them name a command.
function bash(places: readonly Place[]): string {
  return `_bucketline() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words="" word found=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) words="\${words:+$words }$word" ;; esac
  done
  while :; do
    case "$words" in
${cases(places)}
    esac
    [ -n "$found" ] && break
    case "$words" in *" "*) words="\${words% *}" ;; *) break ;; esac
  done
  COMPREPLY=($(compgen -W "$found" -- "$current"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _bucketline bucketline`;
}

function zsh(places: readonly Place[]): string {
  return `#compdef bucketline
autoload -U +X bashcompinit && bashcompinit
${bash(places)}`;
}

function fish(places: readonly Place[]): string {
  const lines = places.flatMap(({ words, next }) => {
    const when =
      words === ""
        ? "__fish_use_subcommand"
        : words
            .split(" ")
            .map((word) => `__fish_seen_subcommand_from ${word}`)
            .join("; and ");
    const names = next.filter((name) => !name.startsWith("--"));
    const options = next.filter((name) => name.startsWith("--"));
    return [
      ...names.map((name) => `complete -c bucketline -n "${when}" -a ${name}`),
      ...options.map((name) => `complete -c bucketline -n "${when}" -l ${name.slice(2)}`),
    ];
  });
  return lines.join("\n");
}
