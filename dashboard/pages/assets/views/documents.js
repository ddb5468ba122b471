/** @import { HeldDocument, Session } from "../../answers.ts" */
/** @import { Resource } from "../core/resource.js" */
import { to } from "../core/base.js";
import { bytes, count } from "../core/format.js";
import { html } from "../core/html.js";
import { printable } from "../core/printable.js";
import { useResource } from "../core/resource.js";
import { Card, EmptyState, Failed, Icon, Loading, PageHead } from "../parts/layout.js";
import { ObjectName, Time } from "../parts/names.js";

/** @typedef {{ location: string, more: boolean, documents: readonly HeldDocument[] }} Answer */

/** The content of objects that lies outside stores: what jobs read and leave behind. @param {{ session: Session }} props */
export function View({ session }) {
  /** @type {Resource<Answer>} */
  const { data, error } = useResource("/api/documents");
  return html`<div>
    <${PageHead} name="Documents" title="Documents" />
    ${!data && (error ? html`<${Failed} error=${error} />` : html`<${Loading} />`)}
    ${data && html`<${Held} answer=${data} canOperate=${session.canOperate} />`}
  </div>`;
}

/** @param {{ answer: Answer, canOperate: boolean }} props */
function Held({ answer: { location, more, documents }, canOperate }) {
  if (documents.length === 0)
    return html`<${Card}
      ><${EmptyState} icon="docs" title="No document is held"
        ><p>What put-object uploads, what get-object downloads, long lists and reports of batches are documents.</p><//
      ><//
    >`;
  const shown = more ? `The first ${count(documents.length)} documents` : `${count(documents.length)} documents`;
  return html`<div class="stack">
    <p class="muted break">${shown} in <span class="mono">${printable(location)}</span></p>
    <${Card} class="bare">
      <div class="table-wrap">
        <table class="table documents">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col" class="right">Size</th>
              <th scope="col" class="right optional">Expires</th>
              <th scope="col" class="right"><span class="sr">Download</span></th>
            </tr>
          </thead>
          <tbody>
            ${documents.map((document) => html`<${Row} key=${document.id} document=${document} canOperate=${canOperate} />`)}
          </tbody>
        </table>
      </div>
    <//>
  </div>`;
}

/** @param {{ document: HeldDocument, canOperate: boolean }} props */
function Row({ document: { id, name, size, contentType, expiresAt, deleteAfterDownload, origin }, canOperate }) {
  const of = origin ?? `/search?${new URLSearchParams({ text: id })}`;
  return html`<tr>
    <td class="key">
      <${ObjectName} text=${name} href=${to(of)} />
      <div class="muted nowrap">${printable(contentType)}${deleteAfterDownload ? ", goes once it was read" : ""}</div>
    </td>
    <td class="right nowrap">${bytes(size)}</td>
    <td class="right nowrap optional"><${Time} at=${expiresAt} /></td>
    <td class="right">
      ${
        canOperate &&
        html`<a
          class="icon-button inline"
          href=${to(`/api/documents/${encodeURIComponent(id)}`)}
          download=""
          title="Download"
          ><${Icon} name="download" /><span class="sr">Download ${printable(name)}</span></a
        >`
      }
    </td>
  </tr>`;
}
