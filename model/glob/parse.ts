import { type CharacterClass, parseClass } from "./character-class.ts";

/** One step of a glob, in the order in which a text has to take them. */
export type GlobNode =
  | { readonly kind: "literal"; readonly code: number }
  /** `?`: one code point, but a slash. */
  | { readonly kind: "one" }
  | { readonly kind: "class"; readonly class: CharacterClass }
  /** `*`: any code points within a segment. */
  | { readonly kind: "star" }
  /** `**`: any code points. */
  | { readonly kind: "globstar" }
  /** `**` and a slash: any whole segments, none too. */
  | { readonly kind: "segments" }
  | { readonly kind: "either"; readonly branches: readonly (readonly GlobNode[])[] };

/** Braces inside braces inside braces: deeper than anybody writes, and shallow enough for any stack. */
const MAX_DEPTH = 4;
const SLASH = 0x2f;

/** Where the parser stands. `at` counts code points, so that a message can say which one is meant. */
type Reading = { readonly chars: readonly string[]; at: number };

/** Reads a glob of the dialect of {@link createGlob}. @throws Error that says what was expected, and where */
export function parseGlob(pattern: string): readonly GlobNode[] {
  const reading: Reading = { chars: Array.from(pattern), at: 0 };
  return parseUntil(reading, reading.chars.length, 0);
}

function parseUntil(reading: Reading, end: number, depth: number): GlobNode[] {
  const nodes: GlobNode[] = [];
  while (reading.at < end) nodes.push(parseNode(reading, depth));
  return nodes;
}

function parseNode(reading: Reading, depth: number): GlobNode {
  const { chars } = reading;
  const at = reading.at++;
  const char = chars[at] ?? "";
  switch (char) {
    case "\\":
      if (reading.at === chars.length) throw new Error("expected a character after the \\ at its end");
      return literal(chars[reading.at++] ?? "");
    case "?":
      return { kind: "one" };
    case "*":
      return parseStars(reading);
    case "[": {
      const { parsed, end } = parseClass(chars, at);
      reading.at = end;
      return { kind: "class", class: parsed };
    }
    case "{":
      return parseBraces(reading, at, depth);
    default:
      return literal(char);
  }
}

function parseStars(reading: Reading): GlobNode {
  const { chars } = reading;
  let stars = 1;
  for (; chars[reading.at] === "*"; reading.at++) stars++;
  if (stars === 1) return { kind: "star" };
  if (chars[reading.at]?.codePointAt(0) !== SLASH) return { kind: "globstar" };
  reading.at++;
  return { kind: "segments" };
}

/** `{a,b}`. Without a comma the braces are characters like any other, as shells have it: ids are written so. */
function parseBraces(reading: Reading, open: number, depth: number): GlobNode {
  const { chars } = reading;
  const { commas, close } = findBraces(chars, open);
  const inside = chars.slice(open + 1, close).join("");
  if (commas.length === 0 && /^[^.{}/]+\.\.[^.{}/]+$/.test(inside))
    throw new Error(`expected {a,b}, got the range {${inside}}: list what is meant, or write \\{ for the character`);
  if (commas.length === 0) return literal("{");
  if (depth === MAX_DEPTH) throw new Error(`expected braces at most ${MAX_DEPTH} deep`);
  const branches = [...commas, close].map((end) => {
    const branch = parseUntil(reading, end, depth + 1);
    reading.at = end + 1;
    return branch;
  });
  return { kind: "either", branches };
}

/** The commas and the end of the braces that open here; those of braces and classes inside are not theirs. */
function findBraces(chars: readonly string[], open: number): { readonly commas: number[]; readonly close: number } {
  const commas: number[] = [];
  let depth = 0;
  for (let at = open; at < chars.length; at++) {
    const char = chars[at];
    if (char === "\\") at++;
    else if (char === "[") at = parseClass(chars, at).end - 1;
    else if (char === "{") depth++;
    else if (char === "," && depth === 1) commas.push(at);
    else if (char === "}" && --depth === 0) return { commas, close: at };
  }
  throw new Error(`expected a } for the { at character ${open + 1}; write \\{ for the character`);
}

function literal(char: string): GlobNode {
  return { kind: "literal", code: char.codePointAt(0) ?? 0 };
}
