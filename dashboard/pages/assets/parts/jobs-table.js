/** @import { JobRow } from "../../answers.ts" */
import { to } from "../core/base.js";
import { duration } from "../core/format.js";
import { html } from "../core/html.js";
import { printable } from "../core/printable.js";
import { ObjectName, Time } from "./names.js";

/** @typedef {"createdAt" | "startedAt" | "dueAt" | "finishedAt"} TimeField */
/** @type {Readonly<Record<JobRow["state"], readonly [label: string, field: TimeField]>>} */
const TIMES = {
  waiting: ["Queued", "createdAt"],
  active: ["Started", "startedAt"],
  delayed: ["Due", "dueAt"],
  failed: ["Failed", "finishedAt"],
  completed: ["Completed", "finishedAt"],
};

/** @param {{ jobs: readonly JobRow[], activity: string, state: JobRow["state"] }} props */
export function JobsTable({ jobs, activity, state }) {
  const [timeLabel, timeField] = TIMES[state];
  const shows = { error: state === "failed" || state === "delayed", took: state === "completed" };
  return html`<div class="table-wrap">
    <table class="table jobs">
      <thead>
        <tr>
          <th scope="col">Object</th>
          ${shows.error && html`<th scope="col" class="optional">Error</th>`}
          <th scope="col" class="right optional">Attempts</th>
          ${shows.took && html`<th scope="col" class="right">Took</th>`}
          <th scope="col" class="right">${timeLabel}</th>
        </tr>
      </thead>
      <tbody>
        ${jobs.map((job) => html`<${Row} key=${job.id} job=${job} activity=${activity} shows=${shows} time=${job[timeField]} />`)}
      </tbody>
    </table>
  </div>`;
}

/** @param {{ job: JobRow, activity: string, shows: { error: boolean, took: boolean }, time: string | undefined }} props */
function Row({ job, activity, shows, time }) {
  const { id, source, destination, startedAt, finishedAt } = job;
  const took = startedAt && finishedAt ? Date.parse(finishedAt) - Date.parse(startedAt) : undefined;
  const attempts = `${job.attempts} ${job.attempts === 1 ? "attempt" : "attempts"}`;
  const code = job.error ? printable(job.error.code) : "–";
  return html`<tr>
    <td class="key mono">
      <${ObjectName} text=${source ?? id} href=${to(`/jobs/${activity}/${encodeURIComponent(id)}`)} />
      ${destination && html`<div class="muted"><${ObjectName} text=${`→ ${destination}`} /></div>`}
      ${shows.error && job.error && html`<div class="only-narrow"><span class="is-danger-text">${code}</span><span class="muted"> · ${attempts}</span></div>`}
      ${job.malformed && html`<span class="badge" data-tone="danger">malformed</span>`}
    </td>
    ${shows.error && html`<td class="error-cell optional"><span class=${job.error ? "is-danger-text" : ""} title=${job.error ? printable(job.error.message) : ""}>${code}</span></td>`}
    <td class="right optional">${job.attempts}</td>
    ${shows.took && html`<td class="right nowrap">${duration(took)}</td>`}
    <td class="right nowrap"><${Time} at=${time} /></td>
  </tr>`;
}
