import { z } from "zod";
import { BatchSpec } from "../batches/spec/request.ts";
import { ManifestLine } from "../batches/listing/manifest-entries.ts";
import { withoutNever } from "../dashboard/api/openapi.ts";
import { PLAIN_PROVIDERS, ProviderConfig } from "../credentials/provider-config.ts";
import { ProfilesFile } from "../credentials/profiles-file.ts";
import { activityNames, contracts } from "../jobs/contracts.ts";

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** JSON Schema (2020-12) of all that people and programs in other languages write for Bucketline or read from it. File name to schema. */
export function schemaFiles(): ReadonlyMap<string, JsonSchema> {
  const files = new Map<string, JsonSchema>();
  const add = (name: string, about: string, schema: z.ZodType, io: "input" | "output" = "input") =>
    files.set(`${name}.json`, {
      title: name.replace(".", " "),
      description: about,
      ...z.toJSONSchema(schema, { io, override }),
    });
  for (const name of activityNames) {
    const { input, result, summary } = contracts[name];
    add(`${name}.input`, summary, input);
    add(`${name}.result`, summary, result, "output");
  }
  add("profiles", "The worker's connections to stores (BUCKETLINE_PROFILES)", ProfilesFile);
  add("batch", "One operation over many objects", BatchSpec);
  add("manifest-line", "A line of an NDJSON manifest", ManifestLine);
  return files;
}

/** A schema as the file's text. */
export function renderSchema(schema: JsonSchema): string {
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

/** What a schema in zod does before it looks is not in the JSON Schema. */
function override({ zodSchema, jsonSchema }: { zodSchema: unknown; jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  withoutNever(jsonSchema);
  if (zodSchema === ProviderConfig)
    jsonSchema.oneOf?.unshift({ type: "string", enum: [...PLAIN_PROVIDERS] as string[] }); // they are strings
}

/** Fields without a description, as paths; what a reference leads to may tell it. */
export function undescribedFields(
  root: { readonly [name: string]: unknown },
  definitions = "$defs",
): readonly string[] {
  const found: string[] = [];
  const visit = (at: unknown, path: string): void => {
    if (typeof at !== "object" || at === null) return;
    const { properties } = at as { properties?: Record<string, Described> };
    for (const [name, field] of Object.entries(properties ?? {}))
      if (!isDescribed(field, root)) found.push(`${path}.${name}`);
    for (const [name, inner] of Object.entries(at))
      visit(inner, name === "properties" || /^\d+$/.test(name) || name === definitions ? path : `${path}.${name}`);
  };
  visit(root, "");
  return found;
}

type Described = { readonly description?: string; readonly $ref?: string };

function isDescribed({ description, $ref }: Described, root: { readonly [name: string]: unknown }): boolean {
  if (description !== undefined) return true;
  if ($ref === undefined) return false;
  return isDescribed(resolve($ref, root), root);
}

/** What a reference such as `#/$defs/Tags` leads to. */
export function resolve(reference: string, root: { readonly [name: string]: unknown }): Described {
  const steps = reference.slice(2).split("/");
  // Schemas that zod made refer only to what is in them.
  return steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], root) as Described;
}
