/** A command of a line of shell: its words, without assignments and redirections, and those of its environment. */
export type ShellCommand = { readonly words: readonly string[]; readonly env: Readonly<Record<string, string>> };

/** Words in quotes, what ends a command, redirections (with where to), comments, words. */
const TOKEN =
  /\s+|#[^\n]*|[<>]\(|\$\(|(?:\d?>>?|<)\s*[^\s|;&()]+|[|;&()\n]+|(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s|;&()"'\\])+/gy;

/** The commands of a line as docs show it: `1. a | b`, `$ a`, `X=1 a > file  # why`, `a <(b)`. */
export function shellCommands(line: string): readonly ShellCommand[] {
  const found: string[][] = [[]];
  for (const [token] of line.replace(/^\s*(?:\d+\.|\$)\s/, "").matchAll(TOKEN)) {
    if (/^(?:\s|#)/.test(token) || /^(?:\d?>>?|<)\s*[^(\s]/.test(token)) continue;
    if (/^(?:[<>$]\(|[|;&()\n])/.test(token)) found.push([]);
    else found.at(-1)?.push(token);
  }
  return found.flatMap((words) => {
    const first = words.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word));
    if (first === -1) return [];
    const env = words
      .slice(0, first)
      .map((word) => [word.slice(0, word.indexOf("=")), unquoted(word.slice(word.indexOf("=") + 1))]);
    return [{ words: words.slice(first).map(unquoted), env: Object.fromEntries(env) as Record<string, string> }];
  });
}

const unquoted = (word: string): string =>
  word.replaceAll(
    /"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/g,
    (_all, double = "", single = "", escaped = "") => `${double}${single}${escaped}`,
  );
