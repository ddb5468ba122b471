import { expect, test } from "vitest";
import { z } from "zod";
import { ManifestLine } from "../batches/listing/manifest-entries.ts";
import { BatchSpec } from "../batches/spec/request.ts";
import { activityNames, contracts } from "../jobs/contracts.ts";
import { startDashboardHarness } from "./dashboard-harness.ts";

type Schema = Readonly<Record<string, unknown>>;

const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
/** Of a record or a list. */
const entries = (value: unknown): [string, unknown][] =>
  typeof value === "object" && value !== null ? Object.entries(value) : [];

/** Whether a pattern holds for the whole text and repeats nothing without an end. */
function endsItself(pattern: unknown): boolean {
  if (typeof pattern !== "string" || !pattern.startsWith("^") || !pattern.endsWith("$")) return false;
  return !/(?<!\\)[*+]|\{\d+,\}/.test(pattern.replaceAll(/\[(?:\\.|[^\]])*\]/g, "x"));
}

/** Where a schema lets in a text, a list or a record that may be as long as somebody likes. */
function unlimited(schema: unknown, at: string): string[] {
  if (!isSchema(schema)) return [];
  const { format, pattern } = schema;
  const types = [schema["type"]].flat();
  const found: string[] = [];
  const known = ["maxLength", "enum", "const"].some((name) => name in schema);
  if (types.includes("string") && !known && format === undefined && !endsItself(pattern)) found.push(`${at}: a text`);
  if (types.includes("array") && schema["maxItems"] === undefined) found.push(`${at}: a list`);
  const rest = schema["additionalProperties"];
  if (types.includes("object") && isSchema(rest) && schema["maxProperties"] === undefined)
    found.push(`${at}: a record`);
  return [
    ...found,
    ...["anyOf", "oneOf", "allOf"].flatMap((name) => entries(schema[name])).flatMap(([, one]) => unlimited(one, at)),
    ...entries(schema["properties"]).flatMap(([name, one]) => unlimited(one, `${at}.${name}`)),
    ...entries(schema["$defs"]).flatMap(([name, one]) => unlimited(one, name)),
    ...unlimited(schema["items"], `${at}[]`),
    ...unlimited(rest, `${at}{}`),
  ];
}

const ofZod = (schema: z.ZodType, at: string) =>
  unlimited(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }), at);

test("finds what has no end", () => {
  const open = { a: z.string(), b: z.array(z.string().max(3)), c: z.record(z.string().max(3), z.string().max(3)) };
  const patterns = {
    d: z.string().regex(/^a+$/),
    e: z.string().regex(/^a{1,3}$/),
    f: z.enum(["x"]),
    g: z.union([z.int(), z.string()]),
  };
  expect(ofZod(z.strictObject({ ...open, ...patterns }), "it")).toEqual([
    "it.a: a text",
    "it.b: a list",
    "it.c: a record",
    "it.d: a text",
    "it.g: a text",
  ]);
});

test.each(activityNames)("every text, list and record of the input of %s has an end", (name) => {
  expect(ofZod(contracts[name].input, name)).toEqual([]);
});

test("so has every one of a batch, and of a line of a manifest", () => {
  expect([...ofZod(BatchSpec, "batch"), ...ofZod(ManifestLine, "line")]).toEqual([]);
});

test("so has every one that the dashboard reads: paths, queries, headers and bodies", async () => {
  const dashboard = await startDashboardHarness();
  try {
    const { paths, components } = (await dashboard.send("/api/openapi.json")).json() as Record<string, unknown>;
    const read: string[] = [];
    for (const [path, methods] of entries(paths))
      for (const [method, operation] of entries(methods)) {
        const { parameters, requestBody } = Object(operation) as Schema;
        for (const [, parameter] of entries(parameters))
          read.push(...unlimited(Object(parameter).schema, `${method} ${path} ${String(Object(parameter).name)}`));
        for (const [, media] of entries(Object(requestBody).content))
          read.push(...unlimited(bodyOf(Object(media).schema, components), `${method} ${path}`));
      }
    expect(read).toEqual([]);
  } finally {
    await dashboard.close();
  }
});

/** Named bodies are inputs of activities and batches, which are looked at above, or others of the dashboard's own. */
function bodyOf(schema: unknown, components: unknown): unknown {
  const name = /^#\/components\/schemas\/(.+)$/.exec(String(Object(schema).$ref))?.[1];
  return name === undefined ? schema : Object(Object(components).schemas)[name];
}
