import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ERROR_CODES, ERROR_GROUPS, explainCode } from "../model/error-codes.ts";
import { errorsPage } from "../scripts/error-pages.ts";
import { CROSSES_ROOMS } from "./architecture/import-rules.ts";
import { readSources } from "./architecture/read-source.ts";

const root = join(import.meta.dirname, "..");

describe("the catalogue of errors", () => {
  test("lists no code of ours that nothing fails with", () => {
    const sources = readSources(root)
      .map(({ path }) => path)
      .filter((path) => !CROSSES_ROOMS.test(path) && !/^(sandbox|model\/error-codes)/.test(path))
      .map((path) => readFileSync(join(root, path), "utf8"))
      .join("\n");
    const idle = Object.entries(ERROR_GROUPS)
      .flatMap(([group, codes]) => (group === "store" ? [] : Object.keys(codes)))
      .filter((code) => !sources.includes(`"${code}"`));
    expect(idle).toEqual([]);
  });

  test("has each code in one group", () => {
    const all = Object.values(ERROR_GROUPS).flatMap((codes) => Object.keys(codes));
    expect(all.length).toBe(new Set(all).size);
    expect(all.toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted());
  });

  test("knows nothing of a name that every object has", () => {
    expect(explainCode("constructor")).toBeUndefined();
    expect(explainCode("NoSuchKey")?.httpStatus).toBe(404);
  });

  test("is what docs/errors.md says (npm run errors writes it)", () => {
    expect(readFileSync(join(root, "docs/errors.md"), "utf8")).toBe(errorsPage());
  });
});
