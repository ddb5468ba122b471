import { expect, test } from "vitest";
import { jsonLine, printable, printableLines } from "./printable.ts";

const NASTY = [
  "\u001b[2J\u001b]0;title\u0007", // clears the screen, sets the title
  "\u009b31m", // the same by one C1 character
  "a\rb\nc\td\u007f\u0000",
  "\u202egpj.exe", // reads backwards
  "\u2028next line",
  "\ud800 half a pair",
];

test("shows what a terminal would obey instead of sending it", () => {
  expect(printable("\u001b[31mred")).toBe("\\u001b[31mred");
  for (const text of NASTY) {
    const shown = printable(text);
    expect(shown).not.toMatch(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202e]/u);
    expect(shown.length).toBeGreaterThan(text.length);
  }
});

test("leaves ordinary text of any language as it is", () => {
  const text = 'ünïcødé/日本語/файл 👩‍👩‍👧 \\ "quoted" e\u0301';
  expect(printable(text)).toBe(text);
  expect(jsonLine({ text })).toBe(JSON.stringify({ text }));
});

test("keeps the line breaks that are ours", () => {
  expect(printableLines("one\ntwo\u001b[0m")).toBe("one\ntwo\\u001b[0m");
});

test("prints JSON on one line that no terminal obeys and every parser reads back", () => {
  for (const text of NASTY) {
    const line = jsonLine({ text });
    expect(line).not.toMatch(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202e]/u);
    expect(JSON.parse(line)).toEqual({ text });
  }
});
