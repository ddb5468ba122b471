/** @typedef {{ type?: string, default?: unknown, const?: unknown, enum?: readonly unknown[], anyOf?: readonly Schema[], oneOf?: readonly Schema[], required?: readonly string[], properties?: Record<string, Schema>, items?: Schema, minimum?: number }} Schema */
/** @typedef {{ path: string, method: string, requestBody?: { content: Record<string, { schema?: Schema }> } }} Operation */

/**
 * A command that calls an operation.
 * @param {Operation} operation
 * @param {string} origin with the base, where there is one
 */
export function curlExample({ path, method, requestBody }, origin) {
  const query = path === "/api/documents" ? "?name=report.pdf" : "";
  const lines = [
    `curl -X ${method.toUpperCase()} ${origin}${path.replace(/\{(\w+)\}/g, "<$1>")}${query}`,
    "  -H 'Authorization: Bearer <token>'",
  ];
  const body = requestBody?.content["application/json"]?.schema;
  if (body) lines.push("  -H 'Content-Type: application/json'", `  -d '${JSON.stringify(example(body))}'`);
  else if (requestBody) lines.push("  -H 'Content-Type: application/pdf'", "  --data-binary @report.pdf");
  return lines.join(" \\\n");
}

/** A body with the fields that must be there. @param {Schema} schema @returns {unknown} */
function example(schema) {
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const [choice] = schema.anyOf ?? schema.oneOf ?? [];
  if (choice) return example(choice);
  if (schema.type === "object")
    return Object.fromEntries((schema.required ?? []).map((name) => [name, example(schema.properties?.[name] ?? {})]));
  if (schema.type === "array") return [example(schema.items ?? {})];
  if (schema.type === "integer" || schema.type === "number") return schema.minimum ?? 1;
  return schema.type === "boolean" ? true : "…";
}
