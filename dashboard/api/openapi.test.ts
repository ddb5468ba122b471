import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { type DashboardHarness, startDashboardHarness } from "../../test/dashboard-harness.ts";
import { undescribedFields } from "../../scripts/schema-files.ts";
import { activityNames } from "../../jobs/contracts.ts";

type Operation = {
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: object }> }>;
} & Record<string, unknown>;
type Document = {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, object> };
};

let dashboard: DashboardHarness;
let document: Document;
beforeAll(async () => {
  dashboard = await startDashboardHarness();
  document = (await dashboard.send("/api/openapi.json")).json() as unknown as Document;
});
afterAll(() => dashboard.close());

test("the document is valid OpenAPI 3.1", async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document) as Record<string, unknown>);
  expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
  expect(validator.version).toBe("3.1");
});

test("every reference leads somewhere, and no two operations have one name", () => {
  const text = JSON.stringify(document);
  const references = [...text.matchAll(/"\$ref":"(#[^"]+)"/g)].map(([, reference = ""]) => reference);
  expect(references.length).toBeGreaterThan(0);
  for (const reference of new Set(references))
    expect([reference, find(reference)]).toEqual([reference, expect.anything()]);
  const ids = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  );
  expect(new Set(ids).size).toBe(ids.length);
});

test("every activity is there with its input, and the form of its result", () => {
  for (const name of activityNames) {
    const operation = document.paths[`/api/activities/${name}/jobs`]?.["post"];
    expect([name, operation?.["requestBody"]]).toEqual([name, expect.objectContaining({ required: true })]);
  }
  expect(Object.keys(document.components.schemas).filter((name) => name.endsWith("Result"))).toHaveLength(
    activityNames.length,
  );
});

test("every field, parameter and answer tells what it is", () => {
  expect(undescribedFields(document)).toEqual([]);
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  const parameters = operations.flatMap(
    ({ parameters: list = [] }) => list as { name: string; description?: string }[],
  );
  expect(parameters.filter(({ description }) => description === undefined)).toEqual([]);
});

test("parameters have the types and ranges that the server accepts", () => {
  const parameters = document.paths["/api/jobs/{activity}"]?.["get"]?.["parameters"];
  expect(parameters).toContainEqual(
    expect.objectContaining({
      name: "limit",
      schema: expect.objectContaining({ default: 25, type: "integer", minimum: 1, maximum: 100 }),
    }),
  );
  const upload = document.paths["/api/documents"]?.["post"]?.["parameters"];
  expect(upload).toContainEqual(expect.objectContaining({ name: "deleteAfterDownload", schema: { type: "boolean" } }));
});

test("a job's activity tells the form of its result", () => {
  const { discriminator } = document.components.schemas["Job"] as unknown as {
    discriminator: { propertyName: string; mapping: Record<string, string> };
  };
  expect(discriminator.propertyName).toBe("activity");
  expect(Object.keys(discriminator.mapping)).toEqual(expect.arrayContaining([...activityNames]));
  expect(discriminator.mapping["copy-object"]).toBe("#/components/schemas/CopyObjectJob");
});

test("content is bytes both ways", () => {
  const bytes = { "application/octet-stream": { schema: { type: "string", format: "binary" } } };
  expect(document.paths["/api/documents"]?.["post"]?.["requestBody"]).toEqual({ required: true, content: bytes });
  expect(document.paths["/api/documents/{id}"]?.["get"]?.responses["200"]?.content).toEqual(bytes);
});

test("a report comes as lines of JSON or as CSV", () => {
  const { content = {} } = document.paths["/api/batches/{id}/report"]?.["get"]?.responses["200"] ?? {};
  expect(Object.keys(content)).toEqual(["application/x-ndjson", "text/csv"]);
});

test("what the server answers has the form that the document says", async () => {
  await dashboard.send("/api/activities/list-buckets/jobs?delay=3600000", { method: "POST", body: {} });
  const { jobs } = (await dashboard.send("/api/jobs/list-buckets?state=delayed")).json() as unknown as {
    jobs: { id: string }[];
  };
  await dashboard.send("/api/batches", { method: "POST", body: { operation: "delete", source: { bucket: "abc" } } });
  for (const [path, template] of [
    ["/api/overview", "/api/overview"],
    ["/api/throughput?range=1h", "/api/throughput"],
    ["/api/activities", "/api/activities"],
    ["/api/jobs/list-buckets?state=delayed", "/api/jobs/{activity}"],
    [`/api/jobs/list-buckets/${jobs[0]?.id}`, "/api/jobs/{activity}/{id}"],
    [`/api/jobs?id=${jobs[0]?.id}`, "/api/jobs"],
    ["/api/quarantine", "/api/quarantine"],
    ["/api/batches", "/api/batches"],
    ["/api/session", "/api/session"],
  ] as const) {
    const schema = document.paths[template]?.["get"]?.responses["200"]?.content?.["application/json"]?.schema;
    const answer = await dashboard.send(path);
    const { error } = resolved(schema ?? false).safeParse(answer.json());
    expect([path, answer.status, error?.issues]).toEqual([path, 200, undefined]);
  }
});

/** zod finds named schemas under `$defs`, where JSON Schema has them, and knows no `dependentRequired`, which rules what is sent. */
function resolved(schema: object | false): z.ZodType {
  if (schema === false) return z.never();
  const known = (name: string, value: unknown) => (name === "dependentRequired" ? undefined : value);
  const text = JSON.stringify({ ...schema, $defs: document.components.schemas }, known);
  return z.fromJSONSchema(JSON.parse(text.replaceAll("#/components/schemas/", "#/$defs/")));
}

function find(reference: string): unknown {
  return reference
    .slice(2)
    .split("/")
    .reduce<unknown>(
      (at, step) => (typeof at === "object" && at !== null ? (at as Record<string, unknown>)[step] : undefined),
      document,
    );
}
