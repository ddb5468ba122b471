import { expect, test } from "vitest";
import { mayWait } from "./hash-turns.ts";

const MIB = 1024 ** 2;

test("the digest that has most to do never waits, the others may", () => {
  const turn = { needed: [10, 30, 20], at: 1, upTo: 8 * MIB };
  expect([0, 1, 2].map((index) => mayWait({ ...turn, index }))).toEqual([true, false, true]);
});

test("a digest that has not begun does not wait, because nobody knows how long it takes", () => {
  expect(mayWait({ needed: [0, 30], index: 0, at: 0, upTo: MIB })).toBe(false);
});

test("nobody waits for one that has nothing to do, nor alone", () => {
  expect(mayWait({ needed: [0, 0], index: 0, at: 1, upTo: MIB })).toBe(false);
  expect(mayWait({ needed: [5], index: 0, at: 1, upTo: MIB })).toBe(false);
});

test("a digest goes on before it is so far behind that what it reads has left the memory", () => {
  const turn = { needed: [10, 30], index: 0, at: 1 };
  expect(mayWait({ ...turn, upTo: 512 * MIB })).toBe(true);
  expect(mayWait({ ...turn, upTo: 512 * MIB + 1 })).toBe(false);
});
