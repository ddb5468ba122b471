import { activityNames, contracts } from "../jobs/contracts.ts";
import { schemaFiles } from "./schema-files.ts";

/** As much of JSON Schema as the contracts use. */
type Schema = {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly $ref?: string;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
};

/** docs/activities.md, made from the contracts. */
export function activitiesPage(): string {
  const files = schemaFiles();
  const types = new Map<string, Schema>();
  const schemaOf = (file: string): Schema => {
    const schema = files.get(`${file}.json`) as Schema; // there is one of each activity
    for (const [name, type] of Object.entries(schema.$defs ?? {})) types.set(name, type);
    return schema;
  };
  const activities = activityNames.flatMap((name) => [
    `## ${name}`,
    "",
    `${contracts[name].summary}. JSON Schema: [input](schemas/${name}.input.json), [result](schemas/${name}.result.json).`,
    "",
    ...forms("Input", schemaOf(`${name}.input`)),
    ...forms(
      contracts[name].secret === undefined ? "Result" : "Result (the document holds the secret)",
      schemaOf(`${name}.result`),
    ),
  ]);
  const named = [...types].toSorted(([a], [b]) => a.localeCompare(b));
  return [
    "# Activities",
    "",
    "What may be asked, what it takes and what comes back. `npm run schemas` makes this page and [schemas](schemas) from the contracts in `jobs/`.",
    "Fields without a default that are not **required** may be left out. How to enqueue: [producer.md](producer.md).",
    "",
    ...activities,
    "## Types",
    "",
    ...named.flatMap(([name, type]) => [
      `### ${name}`,
      "",
      `${type.description ?? ""}${type.properties || type.anyOf ? "." : `: ${typeName(type)}.`}`,
      "",
      ...(type.properties || type.anyOf ? forms(undefined, type) : []),
    ]),
  ].join("\n");
}

/** The fields of an object, or of each form that it may have. */
function forms(title: string | undefined, schema: Schema): string[] {
  const alternatives = schema.anyOf ?? schema.oneOf ?? [schema];
  return alternatives.flatMap((one, index) => {
    const head = index > 0 ? "or" : title;
    return [
      ...(head === undefined ? [] : [`${head}:`, ""]),
      ...(one.properties === undefined ? [`${typeName(one)}: ${one.description ?? ""}`] : table(one)),
      "",
    ];
  });
}

function table({ properties = {}, required = [] }: Schema): string[] {
  const rows = Object.entries(properties).map(([name, field]) => {
    const fallback = field.default === undefined ? "" : code(JSON.stringify(field.default));
    const must = required.includes(name) && field.default === undefined ? "**required**" : fallback;
    return `| \`${name}\` | ${typeName(field)} | ${must} | ${cell(describe(field))} |`;
  });
  return ["| field | type | default | meaning |", "|---|---|---|---|", ...rows];
}

function describe(field: Schema): string {
  const text = field.description ?? "";
  return field.$ref !== undefined && text === "" ? `See ${typeName(field)}` : text;
}

function typeName(schema: Schema): string {
  const { $ref, anyOf, oneOf, items, type = "any" } = schema;
  if ($ref !== undefined) {
    const name = $ref.replace("#/$defs/", "");
    return `[${name}](#${name.toLowerCase()})`;
  }
  const either = anyOf ?? oneOf;
  if (either !== undefined) return either.map(typeName).join(" or ");
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum !== undefined) return schema.enum.map((value) => code(JSON.stringify(value))).join(", ");
  if (items !== undefined) return `list of ${typeName(items)}`;
  if (schema.format === "date-time") return "time (ISO 8601)";
  return `${type}${rangeOf(schema)}`;
}

/** What zod gives as the limits of an integer says nothing. */
function rangeOf({ minimum = -Infinity, maximum = Infinity }: Schema): string {
  const from = minimum > Number.MIN_SAFE_INTEGER ? ` from ${minimum.toLocaleString("en-US")}` : "";
  const to = maximum < Number.MAX_SAFE_INTEGER ? ` to ${maximum.toLocaleString("en-US")}` : "";
  return from + to;
}

const code = (text: string): string => `\`${text}\``;
const cell = (text: string): string => text.replaceAll("|", "\\|");
