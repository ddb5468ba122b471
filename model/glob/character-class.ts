/** What `[...]` takes: code points from one to another, both counted; or all others. Never a slash. */
export type CharacterClass = {
  readonly negated: boolean;
  readonly ranges: readonly (readonly [from: number, to: number])[];
};

const SLASH = 0x2f;

/** The classes that POSIX names, over ASCII. https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap09.html#tag_09_03_05 */
const NAMED: ReadonlyMap<string, string> = new Map([
  ["alnum", "09AZaz"],
  ["alpha", "AZaz"],
  ["digit", "09"],
  ["lower", "az"],
  ["upper", "AZ"],
  ["xdigit", "09AFaf"],
  ["punct", "!/:@[`{~"],
  ["space", "\t\r  "],
]);

/**
 * Reads the class that opens at `open`; `end` is what comes after its bracket.
 *
 * @throws Error that says what was expected, and where
 */
export function parseClass(
  chars: readonly string[],
  open: number,
): { readonly parsed: CharacterClass; readonly end: number } {
  const ranges: (readonly [number, number])[] = [];
  let at = open + 1;
  const negated = chars[at] === "!" || chars[at] === "^";
  if (negated) at++;
  const first = at;
  while (at < chars.length) {
    if (chars[at] === "]" && at > first) return { parsed: { negated, ranges }, end: at + 1 };
    const named =
      chars[at] === "[" && [":", ".", "="].includes(chars[at + 1] ?? "") ? namedClass(chars, at) : undefined;
    if (named !== undefined) {
      ranges.push(...named.ranges);
      at = named.end;
      continue;
    }
    const from = member(chars, at);
    at = from.end;
    if (chars[at] !== "-" || at + 1 >= chars.length || chars[at + 1] === "]") {
      ranges.push([from.code, from.code]);
      continue;
    }
    const to = member(chars, at + 1);
    if (to.code < from.code)
      throw new Error(`expected the range at character ${at} of a class to go upwards, such as a-z`);
    ranges.push([from.code, to.code]);
    at = to.end;
  }
  throw new Error(`expected a ] for the [ at character ${open + 1}; write \\[ for the character`);
}

/** Whether a class takes a code point. */
export function classTakes({ negated, ranges }: CharacterClass, code: number): boolean {
  if (code === SLASH) return false;
  return ranges.some(([from, to]) => from <= code && code <= to) !== negated;
}

function member(chars: readonly string[], at: number): { readonly code: number; readonly end: number } {
  const escaped = chars[at] === "\\" && at + 1 < chars.length;
  const code = chars[escaped ? at + 1 : at]?.codePointAt(0) ?? 0;
  if (code === SLASH) throw new Error(`expected no / in a class, got one at character ${at + 1}`);
  return { code, end: at + (escaped ? 2 : 1) };
}

/** `[:digit:]` inside of a class. What else POSIX has there depends on a language, which keys do not have. */
function namedClass(
  chars: readonly string[],
  at: number,
): { readonly ranges: [number, number][]; readonly end: number } {
  const mark = chars[at + 1] ?? "";
  const close = chars.findIndex((char, index) => index > at + 1 && char === mark && chars[index + 1] === "]");
  const name = chars.slice(at + 2, close === -1 ? at + 2 : close).join("");
  const bounds = mark === ":" ? NAMED.get(name) : undefined;
  if (bounds === undefined)
    throw new Error(
      `expected one of ${[...NAMED.keys()].map((known) => `[:${known}:]`).join(" ")} at character ${at + 1}`,
    );
  const ranges: [number, number][] = [];
  for (let index = 0; index < bounds.length; index += 2)
    ranges.push([bounds.charCodeAt(index), bounds.charCodeAt(index + 1)]);
  return { ranges, end: close + 2 };
}
