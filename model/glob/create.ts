import { createMachine } from "./machine.ts";
import { type GlobNode, parseGlob } from "./parse.ts";

/** Whether a whole text, such as a key, is what a glob describes. */
export type Glob = (text: string) => boolean;

/**
 * Compiles a glob. It is matched against whole texts, case-sensitively, code point by code point, where `/` separates segments:
 *
 * - `*` any characters within a segment; it takes no empty segment, so neither `*` nor `d/*` takes the marker `d/`
 * - `**` any characters, slashes too; `**` before a slash also takes no segment at all: `a/**` + `/b` takes `a/b`
 * - `?` one character, but a slash
 * - `[abc]`, `[a-z]`, `[[:digit:]]` one of these; `[!a]`, `[^a]` one that is none of these; never a slash
 * - `{a,b}` either, also inside each other; braces without a comma are characters
 * - `\x` the character x
 *
 * All else stands for itself: dots, parentheses, a leading exclamation mark. The time it takes grows with the text's length times the
 * glob's, whatever they hold: all ways through the glob are walked at once, and none is ever walked again.
 *
 * @throws Error that says what was expected, and where
 * @example
 * ```ts
 * const isPicture = createGlob("**\/*.{jpg,png}");
 * isPicture("2026/may/a.jpg"); // true
 * ```
 */
export function createGlob(pattern: string): Glob {
  const nodes = parseGlob(pattern);
  const prefix = literalText(nodes);
  if (nodes.every(({ kind }) => kind === "literal")) return (text) => text === prefix;
  const suffix = literalText(nodes.toReversed(), true);
  const takes = createMachine(nodes);
  return (text) =>
    text.length >= Math.max(prefix.length, suffix.length) &&
    text.startsWith(prefix) &&
    text.endsWith(suffix) &&
    takes(text);
}

/** How many wildcards a glob has: what a match may cost grows with them. */
export function countWildcards(nodes: readonly GlobNode[]): number {
  let count = 0;
  for (const node of nodes)
    if (node.kind === "either") for (const branch of node.branches) count += 1 + countWildcards(branch);
    else if (node.kind !== "literal") count++;
  return count;
}

function literalText(nodes: readonly GlobNode[], backwards = false): string {
  const chars: string[] = [];
  for (const node of nodes) {
    if (node.kind !== "literal") break;
    chars.push(String.fromCodePoint(node.code));
  }
  return (backwards ? chars.toReversed() : chars).join("");
}
