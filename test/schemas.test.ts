import { readdir, readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { activitiesPage } from "../scripts/activities-page.ts";
import { renderSchema, schemaFiles, undescribedFields } from "../scripts/schema-files.ts";

const docs = new URL("../docs/", import.meta.url);
const files = schemaFiles();

test("the published JSON Schemas are those of the code (npm run schemas writes them)", async () => {
  const folder = new URL("schemas/", docs);
  const published = new Map<string, string>();
  for (const name of await readdir(folder)) published.set(name, await readFile(new URL(name, folder), "utf8"));
  const made = [...files].map(([name, schema]) => [name, renderSchema(schema)]);
  expect(Object.fromEntries(published)).toEqual(Object.fromEntries(made));
});

test("docs/activities.md says what the contracts say (npm run schemas writes it)", async () => {
  expect(await readFile(new URL("activities.md", docs), "utf8")).toBe(activitiesPage());
});

describe("every field tells what it is", () => {
  test.each([...files])("%s", (_name, schema) => {
    expect(undescribedFields(schema)).toEqual([]);
  });

  test("a field without a description is found, wherever it is", () => {
    const Inner = z.object({ told: z.string().meta({ description: "Said" }), untold: z.string() });
    const schema = z.toJSONSchema(z.object({ list: z.array(Inner).meta({ description: "Some" }), bare: z.boolean() }));
    expect(undescribedFields(schema)).toEqual([".bare", ".list.items.untold"]);
  });
});

test("the schema of profiles takes what the worker takes", () => {
  const schema = z.fromJSONSchema(files.get("profiles.json") as Parameters<typeof z.fromJSONSchema>[0]);
  const take = (profile: object) => schema.safeParse({ profiles: { default: profile } }).success;
  expect(take({ provider: "chain", endpoint: "aws" })).toBe(true);
  expect(take({ provider: { type: "static", accessKeyId: { env: "ID" }, secretAccessKey: { file: "/key" } } })).toBe(
    true,
  );
  expect(take({ provider: "static" })).toBe(false);
  expect(take({ provider: "chain", regoin: "eu-central-1" })).toBe(false);
});

describe("a field that is not there is refused, however deep", () => {
  /** Objects that take any field. */
  const open = (at: unknown, path = ""): string[] => {
    if (typeof at !== "object" || at === null) return [];
    const { properties, additionalProperties } = at as { properties?: object; additionalProperties?: unknown }; // of schemas, and harmless elsewhere
    const here = properties !== undefined && additionalProperties !== false ? [path] : [];
    return [...here, ...Object.entries(at).flatMap(([name, inner]) => open(inner, `${path}/${name}`))];
  };

  test.each([...files].filter(([name]) => /\.input\.|^batch\.|^profiles\./.test(name)))("%s", (_name, schema) => {
    expect(open(schema)).toEqual([]);
  });

  test("an open object is found", () => {
    expect(open(z.toJSONSchema(z.object({ a: z.looseObject({ b: z.string() }) }), { io: "input" }))).toEqual([
      "",
      "/properties/a",
    ]);
  });
});
