import { z } from "zod";
import { MAX_REASON } from "../../producer/audit/entry.ts";
import type { Answer, ApiRoute } from "../http/route.ts";
import { defineRoute } from "../http/route.ts";

/** The contract of the API, as machines read it. */
export type OpenApiDocument = {
  readonly openapi: "3.1.0";
  readonly paths: Record<string, Record<string, unknown>>;
} & Record<string, unknown>;

const TAGS = [
  { name: "activities", description: "Enqueue jobs" },
  { name: "jobs", description: "What became of them" },
  {
    name: "documents",
    description: "The content of objects: what put-object uploads, what get-object and long lists leave behind",
  },
  { name: "batches", description: "One operation over many objects" },
  { name: "profiles", description: "The workers' connections to stores" },
  { name: "schedules", description: "What is asked for again and again" },
  { name: "overview", description: "Queues, workers and Redis" },
  { name: "audit", description: "Who did what, when and why" },
  { name: "problems", description: "What needs somebody, and actions on many things at once" },
  { name: "session", description: "For browsers; programs send a bearer token" },
];

const Problem = z
  .object({
    type: z.string().describe("urn:bucketline:problem: and the code"),
    title: z.string().describe("Words of the status"),
    status: z.int().describe("Status of the answer"),
    detail: z.string().describe("Names the thing, and what was expected"),
    code: z.string().describe("Error code; docs/errors.md explains it"),
    retryable: z.boolean().describe("Whether the same request may succeed later"),
    field: z.string().optional().describe("The field that is wrong"),
    errors: z
      .array(
        z.object({
          field: z.string().describe("The field that is wrong"),
          message: z.string().describe("What was expected"),
        }),
      )
      .optional()
      .describe("All that is wrong with the request"),
  })
  .meta({ id: "Problem", description: "What was wrong, and what was expected" });

/** Of everything that changes something. */
const REASON = {
  name: "reason",
  in: "query",
  required: false,
  description: "Why, for the record of acts",
  // One line of text, or nothing.
  schema: {
    type: "string",
    maxLength: MAX_REASON,
    pattern: String.raw`^$|^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$`,
  },
};

/** Made from the very declarations that the server checks requests with. https://spec.openapis.org/oas/v3.1.1 */
export function openApiDocument(routes: readonly ApiRoute[]): OpenApiDocument {
  const paths: Record<string, Record<string, unknown>> = {};
  const schemas = namedSchemas();
  schemas.of(Problem, "output");
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, schemas.of) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Bucketline",
      version: "1",
      description: "Jobs and batches for S3 over HTTP. Errors are problem details (RFC 9457).",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: serversOf(""),
    tags: TAGS,
    security: [{ bearer: [] }, { session: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "A token made by `bucketline dashboard create-token`" },
        session: { type: "apiKey", in: "cookie", name: "bucketline_session" },
      },
      schemas: schemas.all(),
      responses: {
        Problem: {
          description: "What was wrong, and what was expected",
          content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
        },
      },
    },
  };
}

function serversOf(base: string): readonly { readonly url: string }[] {
  return [{ url: base === "" ? "/" : base }];
}

function operationOf(route: ApiRoute, schemaOf: SchemaOf): Record<string, unknown> {
  const { method, path, access, tag, summary, description, body, answers } = route;
  const said = [
    description,
    `Needs ${access === "operate" ? "an operator" : access === "view" ? "a viewer" : "nobody in particular"}.`,
  ];
  return {
    operationId: operationId(method, path),
    tags: [tag],
    summary,
    description: said.filter((part) => part !== undefined).join(" "),
    ...(access === "public" && { security: [] }),
    parameters: [
      ...parametersOf(route.params, "path", schemaOf),
      ...parametersOf(route.query, "query", schemaOf),
      ...parametersOf(route.headers, "header", schemaOf),
      ...(access === "operate" && method !== "GET" && method !== "HEAD" ? [REASON] : []),
    ],
    ...(body !== undefined && { requestBody: bodyOf(body, schemaOf) }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answerOf(answer, schemaOf)])),
      default: { $ref: "#/components/responses/Problem" },
    },
  };
}

function operationId(method: string, path: string): string {
  const words = path
    .replace(/^\/api\//, "")
    .split(/[/:.-]+/)
    .filter((word) => word !== "");
  return [method.toLowerCase(), ...words]
    .map((word, index) => (index === 0 ? word : word[0]?.toUpperCase() + word.slice(1)))
    .join("");
}

function parametersOf(
  schema: z.ZodObject | undefined,
  where: "path" | "query" | "header",
  schemaOf: SchemaOf,
): unknown[] {
  if (schema === undefined) return [];
  return Object.entries(schema.shape).map(([name, inner]) => {
    const { description, ...rest } = schemaOf(inner as z.ZodType, "input"); // the values of a zod shape are zod types
    const absent = (inner as z.ZodType).safeParse(undefined);
    return {
      name,
      in: where,
      required: where === "path" || !absent.success,
      ...(description !== undefined && { description }),
      schema: { ...rest, ...(absent.data !== undefined && { default: absent.data }) },
    };
  });
}

const BYTES = "application/octet-stream";
const binary = { type: "string", format: "binary" };

function bodyOf(body: NonNullable<ApiRoute["body"]>, schemaOf: SchemaOf): unknown {
  if (body === "bytes") return { required: true, content: { [BYTES]: { schema: binary } } };
  return {
    required: body.optional !== true,
    content: { "application/json": { schema: schemaOf(body.schema, "input") } },
  };
}

function answerOf({ description, schema, type }: Answer, schemaOf: SchemaOf): unknown {
  if (schema !== undefined)
    return { description, content: { "application/json": { schema: schemaOf(schema, "output") } } };
  if (type === undefined) return { description };
  const types = [type].flat().map((each) => [each, { schema: each === BYTES ? binary : { type: "string" } }]);
  return { description, content: Object.fromEntries(types) };
}

type SchemaOf = (schema: z.ZodType, io: "input" | "output") => Record<string, unknown>;

/** Schemas with an id become components, one for each name, and are referred to. */
function namedSchemas(): { readonly of: SchemaOf; readonly all: () => Record<string, unknown> } {
  const named = new Map<string, string>();
  const of: SchemaOf = (schema, io) => {
    const made = z.toJSONSchema(z.strictObject({ schema }), { io, unrepresentable: "any", override: nameVariants });
    const text = JSON.stringify(made).replaceAll('"#/$defs/', '"#/components/schemas/');
    const { $defs = {}, properties } = JSON.parse(text) as {
      $defs?: Record<string, Record<string, unknown>>;
      properties: { schema: Record<string, unknown> };
    }; // of the object above
    for (const [name, definition] of Object.entries($defs)) {
      const one = JSON.stringify({ ...definition, id: undefined });
      if ((named.get(name) ?? one) !== one) throw new Error(`two schemas have the name ${name}`);
      named.set(name, one);
    }
    return properties.schema;
  };
  return {
    of,
    all: () =>
      Object.fromEntries(
        [...named].toSorted(([a], [b]) => a.localeCompare(b)).map(([name, text]) => [name, JSON.parse(text)]),
      ),
  };
}

/** A field that must be absent is no field; more fields are refused anyway. */
export function withoutNever({ properties }: z.core.JSONSchema.BaseSchema): void {
  for (const [name, field] of Object.entries(properties ?? {}))
    if (typeof field === "object" && JSON.stringify(field.not) === "{}") delete properties?.[name];
}

/** OpenAPI tells generators by which field the forms of a union differ. https://spec.openapis.org/oas/v3.1.1#discriminator-object */
function nameVariants({
  zodSchema,
  jsonSchema,
}: {
  zodSchema: z.core.$ZodType;
  jsonSchema: z.core.JSONSchema.BaseSchema;
}): void {
  withoutNever(jsonSchema);
  if (!(zodSchema instanceof z.ZodDiscriminatedUnion)) return;
  const field = zodSchema.def.discriminator;
  const mapping = zodSchema.options.flatMap((option, index) => {
    if (!(option instanceof z.ZodObject)) return [];
    const { const: only, enum: values = [only] } = z.toJSONSchema(option.shape[field] as z.ZodType); // it has the field
    return values.map((value) => [value, jsonSchema.oneOf?.[index]?.$ref]);
  });
  jsonSchema["discriminator"] = { propertyName: field, mapping: Object.fromEntries(mapping) };
}

/** The document is made once; but for where it is served, it does not change while the server runs. */
export function openApiRoute(routes: readonly ApiRoute[]): ApiRoute {
  let made: OpenApiDocument | undefined;
  return defineRoute({
    method: "GET",
    path: "/api/openapi.json",
    access: "view",
    tag: "overview",
    summary: "This document",
    touches: () => [],
    answers: { 200: { description: "OpenAPI 3.1", type: "application/json" } },
    handler: async ({ request: { base } }, reply) => {
      made ??= openApiDocument(routes);
      const text = JSON.stringify({ ...made, servers: serversOf(base) });
      return reply.type("application/json; charset=utf-8").send(text);
    },
  });
}

/** The routes that a document tells of, with their parameters as `:name`. */
export function openApiRoutes({
  paths,
}: Pick<OpenApiDocument, "paths">): { readonly method: ApiRoute["method"]; readonly path: string }[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({
      method: method.toUpperCase() as ApiRoute["method"], // written by openApiDocument from such a method
      path: path.replaceAll(/\{(\w+)\}/g, ":$1"),
    })),
  );
}
