/** @import { Job } from "../../answers.ts" */
import { duration } from "../core/format.js";
import { html } from "../core/html.js";
import { Time } from "./names.js";

/** @type {Readonly<Record<string, string>>} */
const ENDS = { completed: "Completed", failed: "Failed", cancelled: "Cancelled" };

/** When a job was asked for, ran and ended, each from when it was queued. @param {{ job: Job }} props */
export function JobTimeline({ job: { createdAt, dueAt, startedAt, finishedAt, state } }) {
  if (!createdAt) return html`<p class="muted">It was cancelled before it ran, so nothing more is kept of it.</p>`;
  const all = [
    { label: "Queued", at: createdAt },
    { label: "Due", at: dueAt },
    { label: "Last attempt started", at: startedAt },
    { label: ENDS[state] ?? "Ended", at: finishedAt },
  ];
  const points = all.flatMap(({ label, at }) => (at ? [{ label, at }] : []));
  const start = Date.parse(createdAt);
  return html`<ol class="timeline">
    ${points.map(
      ({ label, at }) =>
        html`<li key=${label} class=${label === "Failed" ? "bad" : ""}>
          <span
            >${label} <span class="muted">${at === createdAt ? "" : `+${duration(Date.parse(at) - start)}`}</span></span
          >
          <span class="muted"><${Time} at=${at} /></span>
        </li>`,
    )}
  </ol>`;
}
