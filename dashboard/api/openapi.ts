import { z } from "zod";
import { contracts, type ActivityName, activityNames } from "../../jobs/contracts.ts";
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
  { name: "overview", description: "Queues, workers and Redis" },
  { name: "session", description: "For browsers; programs send a bearer token" },
];

const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe("Names the thing, and what was expected"),
  code: z.string(),
  retryable: z.boolean().describe("Whether the same request may succeed later"),
  field: z.string().optional(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
});

/** Made from the very declarations that the server checks requests with. https://spec.openapis.org/oas/v3.1.1 */
export function openApiDocument(routes: readonly ApiRoute[]): OpenApiDocument {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
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
      schemas: { Problem: schemaOf(Problem, "output"), ...resultSchemas() },
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

/** What a completed job of each activity has as its `result`. */
function resultSchemas(): Record<string, unknown> {
  return Object.fromEntries(
    activityNames.map((name) => [resultName(name), schemaOf(contracts[name].result, "output")]),
  );
}

function resultName(name: ActivityName): string {
  return `${name.replaceAll(/(?:^|-)([a-z])/g, (_all, letter: string) => letter.toUpperCase())}Result`;
}

function operationOf(route: ApiRoute): Record<string, unknown> {
  const { method, path, access, tag, summary, description, body, answers } = route;
  const activity = /^\/api\/activities\/([a-z-]+)\/jobs$/.exec(path)?.[1] as ActivityName | undefined; // only activities have such paths
  const about = activity && `The job's \`result\` will be a ${resultName(activity)}.`;
  const said = [
    description,
    about,
    `Needs ${access === "operate" ? "an operator" : access === "view" ? "a viewer" : "nobody in particular"}.`,
  ];
  return {
    operationId: operationId(method, path),
    tags: [tag],
    summary,
    description: said.filter((part) => part !== undefined).join(" "),
    ...(access === "public" && { security: [] }),
    parameters: [
      ...parametersOf(route.params, "path"),
      ...parametersOf(route.query, "query"),
      ...parametersOf(route.headers, "header"),
    ],
    ...(body !== undefined && { requestBody: bodyOf(body) }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answerOf(answer)])),
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

function parametersOf(schema: z.ZodObject | undefined, where: "path" | "query" | "header"): unknown[] {
  if (schema === undefined) return [];
  return Object.entries(schema.shape).map(([name, inner]) => {
    const { description, ...rest } = schemaOf(inner as z.ZodType, "input"); // the values of a zod shape are zod types
    return {
      name,
      in: where,
      required: where === "path" || !(inner as z.ZodType).safeParse(undefined).success,
      ...(description !== undefined && { description }),
      schema: rest,
    };
  });
}

function bodyOf(body: NonNullable<ApiRoute["body"]>): unknown {
  if (body === "bytes") return { required: true, content: { "*/*": { schema: { type: "string", format: "binary" } } } };
  return {
    required: body.optional !== true,
    content: { "application/json": { schema: schemaOf(body.schema, "input") } },
  };
}

function answerOf({ description, schema, type }: Answer): unknown {
  if (schema !== undefined)
    return { description, content: { "application/json": { schema: schemaOf(schema, "output") } } };
  if (type === undefined) return { description };
  const types = [type].flat().map((each) => [each, { schema: { type: "string" } }]);
  return { description, content: Object.fromEntries(types) };
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
  const made: Record<string, unknown> = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  // OpenAPI 3.1 has this dialect anyway.
  delete made["$schema"];
  return made;
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
