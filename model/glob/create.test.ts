import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createGlob } from "./create.ts";

const table: readonly [glob: string, taken: readonly string[], refused: readonly string[]][] = [
  ["*", ["a", "a.b", ".hidden", "!a", "a\nb"], ["", "a/", "a/b", "/a"]],
  ["*.txt", ["a.txt", ".txt"], ["d/a.txt", "a.txt/", "a.TXT"]],
  ["d/*", ["d/a"], ["d/", "d/a/", "d/a/b", "d"]],
  ["*/a", ["d/a"], ["/a", "a", "d/e/a"]],
  ["a*b", ["ab", "axb"], ["a/b", "abc"]],
  ["**", ["", "a", "a/", "a/b", "/"], []],
  ["keep/**", ["keep/", "keep/a", "keep/a/b"], ["keep", "keeper/a", "x/keep/a"]],
  ["**/a", ["a", "d/a", "d/e/a", "/a"], ["da", "d/ba"]],
  ["a/**/b", ["a/b", "a/c/b", "a/c/d/b", "a//b"], ["ab", "a/cb", "a/b/c"]],
  ["**.txt", ["a.txt", "d/a.txt"], ["a.txt/b"]],
  ["a**/b", ["a/b", "ac/b", "a/c/b"], ["ab", "acb"]],
  ["?.txt", ["a.txt", "\u{1F600}.txt", "日.txt"], [".txt", "ab.txt", "/.txt", "e\u0301.txt"]],
  ["[abc]", ["a", "c"], ["d", "[abc]", ""]],
  ["[a-c]x", ["bx"], ["dx", "-x"]],
  ["[!a]*", ["b", "!", "bc"], ["a", "ab", "", "/"]],
  ["[^a]", ["b", "^"], ["a", "/"]],
  ["[]]", ["]"], ["[", ""]],
  ["[!]a]", ["b"], ["]", "a"]],
  ["[a-]", ["a", "-"], ["b"]],
  ["[\\]-]", ["]", "-"], ["\\"]],
  ["[+-9]", ["+", "0", "."], ["/"]],
  ["[\u{1F600}-\u{1F610}]", ["\u{1F605}"], ["\u{1F611}"]],
  ["[[:digit:]_]", ["7", "_"], ["a", ":"]],
  ["{a,b}", ["a", "b"], ["{a,b}", "ab", ""]],
  ["*.{jpg,pn{g,m}}", ["x.jpg", "x.png", "x.pnm"], ["x.pn"]],
  ["a{,b}c", ["ac", "abc"], ["abbc"]],
  ["{a,d/**}", ["a", "d/x/y"], ["b", "d"]],
  ["{[,],x}", [",", "x"], ["[", "]"]],
  ["{3F25}", ["{3F25}"], ["3F25"]],
  ["{}", ["{}"], [""]],
  ["a\\*", ["a*"], ["ab", "a\\*"]],
  ["\\{a,b\\}", ["{a,b}"], ["a"]],
  ["(a|b)", ["(a|b)"], ["a"]],
  ["+(a)!(b)@(c)", ["+(a)!(b)@(c)"], ["aac"]],
  ["copy (*).txt", ["copy (1).txt"], ["copy 1.txt"]],
  ["!a", ["!a"], ["b"]],
  ["a.b$^", ["a.b$^"], ["axb$^"]],
  ["a]}", ["a]}"], []],
];

test.each(table)("%s takes what it describes and nothing else", (glob, taken, refused) => {
  const matches = createGlob(glob);
  expect(taken.filter((text) => !matches(text))).toEqual([]);
  expect(refused.filter((text) => matches(text))).toEqual([]);
});

test.each([
  ["[a", "expected a ] for the [ at character 1"],
  ["x{a,b", "expected a } for the { at character 2"],
  ["a\\", "expected a character after the \\"],
  ["[z-a]", "upwards"],
  ["[a/b]", "expected no / in a class"],
  ["[[:word:]]", "[:alnum:]"],
  ["{1..3}", "expected {a,b}, got the range {1..3}"],
  ["{a,{b,{c,{d,{e,f}}}}}", "at most 4 deep"],
])("refuses %s and says what it expected", (glob, message) => {
  expect(() => createGlob(glob)).toThrow(message);
});

describe("over generated globs and texts", () => {
  /** A regular expression for globs without `**`; slow for some, right for all. */
  const asRegExp = (glob: string): RegExp =>
    new RegExp(
      `^${glob
        .replaceAll(/[.*+?^${}()|[\]\\]/g, (char) => `\\${char}`)
        .replaceAll("\\*", "(?:(?<![^/])[^/]+|(?<=[^/])[^/]*|[^/]*(?=[^/]))")
        .replaceAll("\\?", "[^/]")}$`,
      "su",
    );

  test("agrees with a regular expression of the same meaning", () => {
    const glob = fc.array(fc.constantFrom("a", "b", "/", "*", "?", "."), { maxLength: 7 });
    const text = fc.array(fc.constantFrom("a", "b", "/", ".", "\u{1F600}"), { maxLength: 8 });
    fc.assert(
      fc.property(glob, text, (parts, chars) => {
        const pattern = parts.join("");
        fc.pre(!pattern.includes("**"));
        expect(createGlob(pattern)(chars.join(""))).toBe(asRegExp(pattern).test(chars.join("")));
      }),
      { numRuns: 2000 },
    );
  });

  test("takes every text as its own escaped glob, and no other", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 20 }), fc.string({ maxLength: 20 }), (text, other) => {
        const matches = createGlob(
          Array.from(text)
            .map((char) => `\\${char}`)
            .join(""),
        );
        expect(matches(text)).toBe(true);
        expect(matches(other)).toBe(other === text);
      }),
    );
  });
});

test("a glob of many stars is no slower on a long text than its size", () => {
  const matches = createGlob(`${"*a".repeat(12)}*b`);
  const deep = createGlob(`${"**/*{a,*a}".repeat(40)}b`);
  const key = "a".repeat(900);
  const started = performance.now();
  for (let time = 0; time < 20; time++) expect(matches(`${key}/b`) || deep(`${key}cb`)).toBe(false);
  // Backtracking takes longer than anybody waits.
  expect(performance.now() - started).toBeLessThan(5_000);
});
