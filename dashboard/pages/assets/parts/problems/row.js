/** @import { ProblemView } from "../../../answers.ts" */
import { to } from "../../core/base.js";
import { count } from "../../core/format.js";
import { html } from "../../core/html.js";
import { printable } from "../../core/printable.js";
import { Ago } from "../names.js";
import { Trend } from "./trend.js";

/** Whom it hits. @param {ProblemView} problem */
export const whoOf = ({ bucket, profile }) =>
  [bucket && `bucket ${bucket}`, profile && `profile ${profile}`].filter(Boolean).join(" · ");

/** @param {ProblemView} problem */
function noteOf({ acknowledged, muted }) {
  if (muted) return `muted by ${muted.by}`;
  return acknowledged ? `${acknowledged.by} looks after it` : "";
}

/** One line of the list of problems. @param {{ problem: ProblemView }} props */
export function ProblemRow({ problem }) {
  const { id, title, severity, count: times, open, firstSeen, lastSeen, trend } = problem;
  const note = noteOf(problem);
  const address = to(`/problems/${encodeURIComponent(id)}`);
  return html`<tr class=${note ? "known" : ""}>
    <td class="what">
      <a class="problem-title" href=${address}
        ><span class="dot" data-severity=${severity} aria-hidden="true"></span><bdi>${printable(title)}</bdi></a
      >
      <div class="muted break">
        ${printable(whoOf(problem))}${firstSeen && html`<span class="only-narrow">since <${Ago} at=${firstSeen} /></span>`}${note && html`<span class="chip">${printable(note)}</span>`}
      </div>
    </td>
    <td class="optional"><${Trend} hours=${trend} /></td>
    <td class="right">
      ${count(open ?? times)}${open !== undefined && times > open && html`<div class="muted nowrap">${count(times)} in all</div>`}
    </td>
    <td class="right nowrap optional"><${Ago} at=${firstSeen} /></td>
    <td class="right nowrap">${lastSeen ? html`<${Ago} at=${lastSeen} />` : "now"}</td>
  </tr>`;
}
