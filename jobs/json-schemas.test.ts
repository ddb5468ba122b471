import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { jsonSchemas } from "./json-schemas.ts";

const folder = new URL("../docs/schemas/", import.meta.url);

test("the published JSON Schemas are those of the contracts (npm run schemas writes them)", async () => {
  const published = new Map<string, string>();
  for (const name of await readdir(folder)) published.set(name, await readFile(new URL(name, folder), "utf8"));
  expect(Object.fromEntries(published)).toEqual(Object.fromEntries(jsonSchemas()));
});
