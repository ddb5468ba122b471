import { get } from "../api.js";
import { h, icon, pageHead } from "../dom.js";

/** The OpenAPI document, for people. */
export async function show(main, { signal }) {
  document.title = "HTTP API · Bucketline";
  const spec = await get("/api/openapi.json", signal);
  if (signal.aborted) return;
  const operations = Object.entries(spec.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  );
  const sections = spec.tags.map(({ name, description }) =>
    h(
      "section",
      { class: "card" },
      h("div", { class: "card-head" }, h("h2", {}, name), h("span", { class: "card-note" }, description)),
      ...operations.filter(({ tags }) => tags.includes(name)).map((operation) => describe(operation, spec)),
    ),
  );
  main.replaceChildren(
    pageHead("HTTP API", {
      actions: [
        h("a", { class: "button", href: "/api/openapi.json", target: "_blank" }, icon("external"), "OpenAPI document"),
      ],
    }),
    h(
      "div",
      { class: "stack" },
      h(
        "p",
        { class: "muted" },
        "Everything the dashboard shows and does, for programs in any language. Send a token as Authorization: Bearer; errors are problem details (RFC 9457).",
      ),
      ...sections,
    ),
  );
}

function describe({ path, method, summary, description, parameters, requestBody, responses }, spec) {
  const body = requestBody?.content["application/json"]?.schema;
  // Filled in when it is opened: the schemas of forty operations are long.
  const content = h("div", { class: "op-body" });
  const details = h(
    "details",
    { class: "operation" },
    h(
      "summary",
      {},
      h("span", { class: "method", "data-method": method }, method.toUpperCase()),
      h("code", { class: "break" }, path),
      h("span", { class: "muted" }, summary),
    ),
    content,
  );
  details.addEventListener("toggle", () => {
    if (!details.open || content.childElementCount > 0) return;
    content.append(h("p", {}, description));
    if (parameters.length > 0) content.append(parameterTable(parameters));
    if (body) content.append(schemaBlock("Body", body));
    else if (requestBody) content.append(h("p", { class: "muted" }, "Body: the content, as bytes of any type."));
    for (const [status, response] of Object.entries(responses)) {
      if (status === "default") continue;
      const schema = response.content?.["application/json"]?.schema;
      const type = Object.keys(response.content ?? {})[0];
      content.append(
        schema
          ? schemaBlock(`${status} · ${response.description}`, schema)
          : h("p", {}, h("strong", {}, status), ` ${response.description}${type ? ` (${type})` : ""}`),
      );
    }
    const result = /will be a (\w+)\./.exec(description)?.[1];
    if (result) content.append(schemaBlock("The job's result", spec.components.schemas[result]));
    content.append(
      h(
        "div",
        {},
        h("h3", { class: "card-note" }, "Try it"),
        h("pre", { class: "code", tabindex: "0" }, curl({ path, method, requestBody, body })),
      ),
    );
  });
  return details;
}

function parameterRow({ name, in: where, required, description, schema }) {
  return h(
    "tr",
    {},
    h("th", { scope: "row", class: "mono" }, name),
    h("td", {}, where, required ? ", required" : ""),
    h(
      "td",
      { class: "break" },
      description ??
        (schema.enum?.length > 8
          ? `one of ${schema.enum.length} names`
          : (schema.enum?.join(", ") ?? schema.type ?? "")),
    ),
  );
}

function parameterTable(parameters) {
  return h(
    "div",
    { class: "table-wrap" },
    h("table", { class: "table" }, h("tbody", {}, ...parameters.map(parameterRow))),
  );
}

function schemaBlock(title, schema) {
  return h(
    "details",
    { class: "more" },
    h("summary", {}, title),
    h("pre", { class: "code", tabindex: "0" }, JSON.stringify(schema, undefined, 2)),
  );
}

function curl({ path, method, requestBody, body }) {
  const lines = [
    `curl -X ${method.toUpperCase()} ${location.origin}${path.replace(/\{(\w+)\}/g, "<$1>")}${path === "/api/documents" ? "?name=report.pdf" : ""}`,
    "  -H 'Authorization: Bearer <token>'",
  ];
  if (body) lines.push("  -H 'Content-Type: application/json'", `  -d '${JSON.stringify(example(body))}'`);
  else if (requestBody) lines.push("  -H 'Content-Type: application/pdf'", "  --data-binary @report.pdf");
  return lines.join(" \\\n");
}

/** A body with the fields that must be there. */
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
  if (schema.type === "boolean") return true;
  return "…";
}
