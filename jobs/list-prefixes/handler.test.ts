import { expect } from "vitest";
import { test } from "../../test/harness.ts";

test("lists one level, or all below where asked", async ({ sandbox, run }) => {
  sandbox.createBucket("prefixes");
  for (const key of ["top.txt", "a/1", "a/b/2", "a/b/c/3", "é+%/4"]) sandbox.put("prefixes", key, "x");
  const flat = await run("list-prefixes", { bucket: "prefixes" });
  expect(flat.prefixes.map(({ prefix }) => prefix)).toEqual(["a/", "é+%/"]);
  const deep = await run("list-prefixes", { bucket: "prefixes", recursive: true });
  expect(deep.prefixes.map(({ prefix }) => prefix).toSorted()).toEqual(["a/", "a/b/", "a/b/c/", "é+%/"].toSorted());
  const below = await run("list-prefixes", { bucket: "prefixes", prefix: "a/", delimiter: "/" });
  expect(below.prefixes).toEqual([{ bucket: "prefixes", prefix: "a/b/" }]);
});
