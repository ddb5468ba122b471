import { expect, test } from "vitest";
import { printable as onTerminals, printableLines as linesOnTerminals } from "../../../cli/output/printable.ts";
import { printable, printableLines, startAndEnd } from "../assets/core/printable.js";

test("shows what a reader would obey, exactly as the command line does", () => {
  for (let code = 0; code <= 0xffff; code += 1) {
    const text = `a${String.fromCharCode(code)}b`;
    expect([code, printable(text)]).toEqual([code, onTerminals(text)]);
    expect([code, printableLines(text)]).toEqual([code, linesOnTerminals(text)]);
  }
});

test("a key that turns its own direction cannot pose as another", () => {
  expect(printable("\u202Egnp.exe\u202C/invoice\u202Efdp.txt")).toBe(
    String.raw`\u202egnp.exe\u202c/invoice\u202efdp.txt`,
  );
});

test("a long name keeps its end, and both parts make the whole", () => {
  const name = `s3://bucket/${"folder/".repeat(30)}what-tells-it-apart.jpg`;
  const [start, end] = startAndEnd(name);
  expect(end).toBe("hat-tells-it-apart.jpg".padStart(24, "/w").slice(-24));
  expect(start + end).toBe(name);
  expect(startAndEnd("short.txt")).toEqual(["", "short.txt"]);
});

test("a name is not cut within a character, nor is a shown control", () => {
  const [start, end] = startAndEnd(`${"x".repeat(40)}${"😀".repeat(30)}`);
  expect(start.isWellFormed() && end.isWellFormed()).toBe(true);
});
