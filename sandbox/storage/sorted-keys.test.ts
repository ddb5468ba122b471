import { assert, array, constantFrom, integer, property, tuple } from "fast-check";
import { expect, test } from "vitest";
import { SortedKeys } from "./sorted-keys.ts";

test("shows each present key once and in order, whatever came and went between listings", () => {
  const step = tuple(constantFrom("toggle", "list"), integer({ min: 0, max: 5 }));
  assert(
    property(array(step, { maxLength: 100, size: "max" }), (steps) => {
      const keys = new SortedKeys();
      const present = new Set<string>();
      for (const [what, number] of [...steps, ["list", 0] as const]) {
        const key = `k${number}`;
        if (what === "toggle") {
          if (present.has(key)) keys.remove(key);
          else keys.add(key);
          if (!present.delete(key)) present.add(key);
        }
        const shown = what === "list" ? keys.all().filter((one) => present.has(one)) : [...present].toSorted();
        expect(shown).toEqual([...present].toSorted());
      }
    }),
  );
});

test("forgets removed keys in the end", () => {
  const keys = new SortedKeys();
  const all = Array.from({ length: 5000 }, (_, i) => `k${String(i).padStart(4, "0")}`);
  for (const key of all) keys.add(key);
  for (const key of all.slice(0, 4000)) keys.remove(key);
  expect(keys.all().length).toBeLessThan(3000);
  expect(keys.all().slice(-1000)).toEqual(all.slice(4000));
});
