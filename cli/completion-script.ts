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

/** Sets `found` to what may follow `typed`, or the beginning of them that names a command. */
function lookUp(places: readonly Place[]): string {
  return `  while :; do
    case "$typed" in
${cases(places)}
    esac
    [ -n "$found" ] && break
    case "$typed" in *" "*) typed="\${typed% *}" ;; *) break ;; esac
  done`;
}

// The words before the cursor that are no options: at most two of them name a command.
function bash(places: readonly Place[]): string {
  return `_bucketline() {
  local current="\${COMP_WORDS[COMP_CWORD]}" typed="" word found=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) typed="\${typed:+$typed }$word" ;; esac
  done
${lookUp(places)}
  COMPREPLY=($(compgen -W "$found" -- "$current"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _bucketline bucketline`;
}

// Sourced, or as a file of $fpath, which zsh runs as the function itself at the first TAB.
function zsh(places: readonly Place[]): string {
  // `words` and `CURRENT` are zsh's own.
  return `#compdef bucketline
_bucketline() {
  local typed="" word found=""
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$word" in -*) ;; *) typed="\${typed:+$typed }$word" ;; esac
  done
${lookUp(places)}
  compadd -- \${=found} || _files
}
if [ "$funcstack[1]" = "_bucketline" ]; then _bucketline "$@"; else compdef _bucketline bucketline; fi`;
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
