/** @import { ComponentChildren } from "preact" */
/** @import { Batch, ReportRow } from "../../../answers.ts" */
import { to } from "../../core/base.js";
import { ENDED, withoutErrors } from "../../core/batches/progress.js";
import { count } from "../../core/format.js";
import { html } from "../../core/html.js";
import { printable, printableLines } from "../../core/printable.js";
import { Alert, Card, EmptyState, Facts } from "../layout.js";
import { CopyButton, Message, ObjectName, Time } from "../names.js";

/** A message without the code that stands beside it. @param {{ code?: string | undefined, message?: string | undefined }} error */
export const messageOnly = ({ code, message = "" }) =>
  printable(code && message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message);

const NO_ERRORS = {
  clean: ["check", "Nothing failed", "Objects that fail are counted here by their error."],
  "so-far": ["jobs", "No failure so far", "Objects that fail are counted here by their error."],
  stopped: ["warning", "The batch itself failed", "It stopped before an object did; the note above says why."],
  cancelled: ["jobs", "No failure before it was cancelled", "What was not attempted could not fail."],
};

/** Failed objects by their code. @param {{ batch: Batch }} props */
export function BatchErrors({ batch }) {
  const entries = Object.entries(batch.errors).toSorted(([, one], [, other]) => other - one);
  const empty = withoutErrors(batch);
  const later = batch.failed - entries.reduce((sum, [, failures]) => sum + failures, 0);
  if (entries.length === 0 && empty === "later")
    return html`<${Card} title="Errors"
      ><p class="card-body muted">Errors are told apart when their chunk is done.</p><//
    >`;
  if (entries.length === 0) {
    const [icon, title, text] = NO_ERRORS[/** @type {keyof typeof NO_ERRORS} */ (empty)];
    return html`<${Card} title="Errors"
      ><${EmptyState} icon=${icon} title=${title}><p>${text}</p><//><//
    >`;
  }
  return html`<${Card} title="Errors">
    <div class="table-wrap">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Code</th>
            <th scope="col" class="right">Objects</th>
          </tr>
        </thead>
        <tbody>
          ${entries.map(
            ([code, failures]) =>
              html`<tr key=${code}>
                <th scope="row">${printable(code)}</th>
                <td class="right">${count(failures)}</td>
              </tr>`,
          )}
          ${
            later > 0 &&
            html`<tr key=" later">
              <th scope="row" class="muted">told apart when their chunk is done</th>
              <td class="right">${count(later)}</td>
            </tr>`
          }
        </tbody>
      </table>
    </div>
  <//>`;
}

/** The newest failures, with key and reason. @param {{ rows: readonly ReportRow[] }} props */
export function BatchFailures({ rows }) {
  if (rows.length === 0) return null;
  return html`<${Card} title="Newest failures" note="at most 100; the report has all">
    <div class="table-wrap">
      <table class="table failures">
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">Reason</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(({ bucket, key, versionId, code, message }) => {
            const reason = messageOnly({ code, message });
            return html`<tr key=${`${bucket}/${key} ${versionId ?? ""}`}>
              <td class="key mono"><${ObjectName} text=${`s3://${bucket}/${key}`} /></td>
              <td class="reason">
                <span class="is-danger-text">${printable(code ?? "failed")}</span>
                <span class="muted two-lines" title=${reason}>${reason}</span>
              </td>
            </tr>`;
          })}
        </tbody>
      </table>
    </div>
  <//>`;
}

/** What was asked, and how its listing stands. @param {{ batch: Batch, priority: ComponentChildren, limit: ComponentChildren }} props the two show or change it */
export function BatchOptions({ batch, priority, limit }) {
  const { list, head, copy, delete: deletes } = batch.requests;
  const spec = printableLines(JSON.stringify(batch.spec, undefined, 2));
  return html`<${Card} title="Details">
    <div class="card-body stack">
      <${Facts}
        rows=${[
          [
            "Batch id",
            html`<span class="mono">${batch.id}</span> <${CopyButton} text=${batch.id} label="Copy the id" />`,
          ],
          ["Created", html`<${Time} at=${batch.createdAt} />`],
          batch.endedAt && ["Ended", html`<${Time} at=${batch.endedAt} />`],
          ["Priority", priority],
          ["Limit", limit],
          ["Listing", listingText(batch)],
          ["Requests", `${count(list)} list, ${count(head)} head, ${count(copy)} copy, ${count(deletes)} delete`],
        ]}
      />
      <details class="more">
        <summary>All options</summary>
        <pre class="code" tabindex="0">${spec}</pre>
      </details>
    </div>
  <//>`;
}

/** @param {Batch} batch */
function listingText({ chain, state, total }) {
  if (!chain) return ENDED.includes(state) ? "ended" : total === undefined ? "not begun" : "complete";
  const { openChunks, listing, feeding } = chain;
  const going = feeding
    ? "reading the manifest"
    : listing > 0
      ? `${count(listing)} ${listing === 1 ? "listing goes" : "listings go"} on`
      : "complete";
  return `${going}, ${count(openChunks)} ${openChunks === 1 ? "chunk" : "chunks"} in flight`;
}

const CAPS = { maxObjects: "As many objects as allowed were done.", maxBytes: "As many bytes as allowed were done." };

/** @param {string} text */
const sentence = (text) => printable(text.charAt(0).toUpperCase() + text.slice(1));

/** What there is to say of a batch beside its figures. @param {{ batch: Batch }} props */
export function BatchNotes({ batch }) {
  const { error, trouble, capped, note, retryOf, state, holds } = batch;
  return html`<div class="alerts" role="status">
    ${holds.filter(({ code }) => code !== "throttled" && code !== "trouble").map(({ code, message, since }) => html`<p key=${code} class="hold"><strong>${sentence(message)}</strong>${since && html`<span class="muted"> since <${Time} at=${since} /></span>`}${code === "queue-paused" && html`<span>. <a href=${to("/audit?kind=queue")}>Who paused it</a></span>`}</p>`)}
    ${error && html`<${Alert} severity="danger" title=${printable(error.code)}><${Message} text=${messageOnly(error)} /><//>`}
    ${trouble && !ENDED.includes(state) && html`<${Alert} title=${`Held up by ${printable(trouble.code)}`}><p>${messageOnly(trouble)} It is tried again by itself.</p><//>`}
    ${capped && html`<${Alert} title="It ended at its limit"><p>${CAPS[capped]}</p><//>`}
    ${note && html`<${Alert} title=${printable(note)} />`}
    ${retryOf && html`<p class="muted">This repeats what failed in <a href=${to(`/batches/${retryOf}`)}>an earlier batch</a>.</p>`}
  </div>`;
}
