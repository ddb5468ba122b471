import { expect, test } from "vitest";
import { parseBatchSpec } from "../spec/request.ts";
import { createFilter, keepMatching } from "./filter.ts";

const spec = (filter: object): unknown => ({ operation: "delete", source: { bucket: "in", prefix: "x/" }, filter });
const filterOf = (filter: object) => createFilter(parseBatchSpec(spec(filter)).filter);

test("leaves what a negated class excludes, and the marker of a folder to a pattern that names it", () => {
  const filter = filterOf({ include: ["*", "keep/**"], exclude: ["[!a]*.tmp"] });
  const kept = ["a.tmp", "b.tmp", "d/", "keep", "keep/", "keep/b.tmp", ""].filter((key) => filter?.matchesKey(key));
  expect(kept).toEqual(["a.tmp", "keep", "keep/", "keep/b.tmp"]);
});

test("takes nothing by its date that has none", () => {
  const object = { bucket: "in", key: "a", size: 1, etag: "e", storageClass: "STANDARD", lastModified: "" };
  expect(filterOf({ modifiedBefore: "2099-01-01T00:00:00+02:00" })?.matches(object, "a")).toBe(false);
  expect(filterOf({ minSize: 1 })?.matches(object, "a")).toBe(true);
});

test("excludes everything with **, the marker of the prefix itself too", () => {
  expect(filterOf({ exclude: ["**"] })?.matchesKey("")).toBe(false);
});

test("reads instants with an offset", () => {
  const filter = filterOf({ modifiedBefore: "2026-11-20T01:00:00+02:00" });
  const object = { bucket: "in", key: "x/a", size: 1, etag: "e", storageClass: "STANDARD" };
  expect(filter?.matches({ ...object, lastModified: "2026-11-19T22:59:59.000Z" }, "a")).toBe(true);
  expect(filter?.matches({ ...object, lastModified: "2026-11-19T23:00:00.000Z" }, "a")).toBe(false);
});

test.each([
  [{ include: ["a", "[b"] }, /filter\.include\[1\]: not a glob: expected a \]/],
  [{ exclude: ["{1..3}"] }, /filter\.exclude\[0\]: not a glob: expected \{a,b\}/],
  [{ include: Array.from({ length: 100 }, () => "?".repeat(11)) }, /filter\.include: expected at most 1000 wildcards/],
])("refuses %j and names the field", (filter, message) => {
  expect(() => parseBatchSpec(spec(filter))).toThrow(message);
});

test("gives others their turn while a long filter is at work", async () => {
  const filter = filterOf({ include: Array.from({ length: 90 }, () => `${"*a".repeat(10)}*b`) });
  const keys = Array.from({ length: 100 }, () => `${"a".repeat(1000)}c/b`);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  try {
    expect(await keepMatching(keys, (key) => filter?.matchesKey(key) === true)).toEqual([]);
  } finally {
    clearInterval(timer);
  }
  expect(turns).toBeGreaterThan(1);
});
