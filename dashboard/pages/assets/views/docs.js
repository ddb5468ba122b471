/** @import { Resource } from "../core/resource.js" */
import { useState } from "preact/hooks";
import { to } from "../core/base.js";
import { curlExample } from "../core/curl-example.js";
import { html } from "../core/html.js";
import { useResource } from "../core/resource.js";
import { Card, Failed, Icon, Loading, PageHead } from "../parts/layout.js";

/** @typedef {import("../core/curl-example.js").Operation} Operation */
/** @typedef {import("../core/curl-example.js").Schema} Schema */
/** @typedef {{ name: string, in: string, required?: boolean, description?: string, schema: Schema }} Parameter */
/** @typedef {Operation & { tags: readonly string[], summary: string, description: string, parameters: readonly Parameter[], responses: Record<string, { description: string, content?: Record<string, { schema?: Schema }> }> }} Described */
/** @typedef {{ paths: Record<string, Record<string, Omit<Described, "path" | "method">>>, tags: readonly { name: string, description: string }[], components: { schemas: Record<string, Schema> } }} Spec */

/** The OpenAPI document, to be read. */
export function View() {
  /** @type {Resource<Spec>} */
  const { data: spec, error } = useResource("/api/openapi.json");
  const actions = html`<a class="button" href=${to("/api/openapi.json")} target="_blank"
    ><${Icon} name="external" />OpenAPI document</a
  >`;
  return html`<div>
    <${PageHead} name="HTTP API" title="HTTP API" actions=${actions} />
    ${!spec && (error ? html`<${Failed} error=${error} />` : html`<${Loading} />`)}
    ${spec && html`<${Sections} spec=${spec} />`}
  </div>`;
}

/** @param {{ spec: Spec }} props */
function Sections({ spec }) {
  const operations = Object.entries(spec.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, path, method })),
  );
  return html`<div class="stack">
    <p class="muted">
      Everything the dashboard shows and does, for programs in any language. Send a token as Authorization: Bearer;
      errors are problem details (RFC 9457).
    </p>
    ${spec.tags.map(
      ({ name, description }) =>
        html`<${Card} key=${name} title=${name} note=${description}>
          ${operations
            .filter(({ tags }) => tags.includes(name))
            .map(
              (operation) =>
                html`<${OperationRow} key=${operation.method + operation.path} operation=${operation} spec=${spec} />`,
            )}
        <//>`,
    )}
  </div>`;
}

/** Its body is drawn when it is opened: the schemas of forty operations are long. @param {{ operation: Described, spec: Spec }} props */
function OperationRow({ operation, spec }) {
  const [open, setOpen] = useState(false);
  const { method, path, summary } = operation;
  return html`<details
    class="operation"
    onToggle=${(/** @type {any} */ event) => event.target === event.currentTarget && setOpen(event.target.open)}
  >
    <summary>
      <span class="method" data-method=${method}>${method.toUpperCase()}</span><code class="break">${path}</code
      ><span class="muted">${summary}</span>
    </summary>
    ${open && html`<${OperationBody} operation=${operation} spec=${spec} />`}
  </details>`;
}

/** @param {{ operation: Described, spec: Spec }} props */
function OperationBody({ operation, spec }) {
  const { description, parameters, requestBody, responses } = operation;
  const body = requestBody?.content["application/json"]?.schema;
  const result = /will be a (\w+)\./.exec(description)?.[1];
  const schema = result === undefined ? undefined : spec.components.schemas[result];
  return html`<div class="op-body">
    <p>${description}</p>
    ${parameters.length > 0 && html`<${Parameters} parameters=${parameters} />`}
    ${body ? html`<${SchemaBlock} title="Body" schema=${body} />` : requestBody && html`<p class="muted">Body: the content, as bytes of any type.</p>`}
    ${Object.entries(responses).map(([status, response]) => status !== "default" && html`<${Response} key=${status} status=${status} response=${response} />`)}
    ${schema && html`<${SchemaBlock} title="The job's result" schema=${schema} />`}
    <div>
      <h3 class="card-note">Try it</h3>
      <pre class="code" tabindex="0">${curlExample(operation, location.origin + to(""))}</pre>
    </div>
  </div>`;
}

/** @param {{ status: string, response: Described["responses"][string] }} props */
function Response({ status, response: { description, content = {} } }) {
  const schema = content["application/json"]?.schema;
  if (schema) return html`<${SchemaBlock} title=${`${status} · ${description}`} schema=${schema} />`;
  const [type] = Object.keys(content);
  return html`<p><strong>${status}</strong> ${description}${type ? ` (${type})` : ""}</p>`;
}

/** @param {{ parameters: readonly Parameter[] }} props */
const Parameters = ({ parameters }) =>
  html`<div class="table-wrap">
    <table class="table">
      <thead class="sr">
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Where</th>
          <th scope="col">What</th>
        </tr>
      </thead>
      <tbody>
        ${parameters.map(
          ({ name, in: where, required, description, schema }) =>
            html`<tr key=${name}>
              <th scope="row" class="mono">${name}</th>
              <td>${where}${required ? ", required" : ""}</td>
              <td class="break">${description ?? valuesOf(schema)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;

/** @param {Schema} schema */
function valuesOf({ enum: values, type = "" }) {
  if (!values) return type;
  return values.length > 8 ? `one of ${values.length} names` : values.join(", ");
}

/** @param {{ title: string, schema: Schema }} props */
const SchemaBlock = ({ title, schema }) =>
  html`<details class="more">
    <summary>${title}</summary>
    <pre class="code" tabindex="0">${JSON.stringify(schema, undefined, 2)}</pre>
  </details>`;
