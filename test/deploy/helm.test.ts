import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";

const root = join(import.meta.dirname, "../..");
const chart = join(root, "deploy/helm");
const read = (path: string) => readFileSync(join(chart, path), "utf8");

type Schema = { readonly additionalProperties?: unknown; readonly properties?: Readonly<Record<string, Schema>> };

/** Paths of all values, as far as the schema names their parts. */
function pathsOf(values: object, schema: Schema, before = ""): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const path = before + name;
    const inner = schema.properties?.[name];
    if (inner === undefined) return [`${path}, which the schema does not know`];
    return inner.properties && typeof value === "object"
      ? [path, ...pathsOf(value as object, inner, `${path}.`)]
      : [path]; // a map, as the schema says
  });
}

test("the chart's values are those that its schema knows and its templates use", () => {
  const values = pathsOf(parse(read("values.yaml")) as object, JSON.parse(read("values.schema.json")) as Schema); // ours
  expect(values.filter((path) => path.includes(","))).toEqual([]);
  const templates = readdirSync(join(chart, "templates")).map((name) => read(join("templates", name)));
  const used = new Set(templates.join("\n").match(/(?<=\.Values\.)[\w.]+/g));
  expect([...used].filter((path) => !values.includes(path))).toEqual([]);
  // What both Deployments take from the part of the values that they are given.
  const shared = new Set(templates.join("\n").match(/(?<=\.values\.)\w+/g));
  const unused = values.filter((path) => !used.has(path) && ![...used].some((one) => one.startsWith(`${path}.`)));
  expect(unused.filter((path) => !shared.has(path.split(".")[1] ?? ""))).toEqual([]);
});

test("the chart installs this version", () => {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string };
  expect(parse(read("Chart.yaml"))).toMatchObject({ version, appVersion: version });
});
