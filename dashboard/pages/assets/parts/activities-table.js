/** @import { Queue } from "../../answers.ts" */
import { to } from "../core/base.js";
import { duration, rate, shortCount } from "../core/format.js";
import { html } from "../core/html.js";

export const CHUNKS = "batch-chunk";

/** @typedef {"completedPerSecond" | "waiting" | "active" | "delayed" | "failed" | "completed" | "oldestWaitingMs"} Figure */
/** `less` is how soon a column is left out where room is short. @type {readonly { label: string, field: Figure, format: (value: number) => string, state?: string, less?: string }[]} */
const COLUMNS = [
  { label: "Jobs/s", field: "completedPerSecond", format: rate, less: "optional" },
  { label: "Waiting", field: "waiting", format: shortCount, state: "waiting" },
  { label: "Active", field: "active", format: shortCount, state: "active" },
  { label: "Delayed", field: "delayed", format: shortCount, state: "delayed", less: "optional" },
  { label: "Failed", field: "failed", format: shortCount, state: "failed" },
  { label: "Completed", field: "completed", format: shortCount, state: "completed", less: "optional" },
  { label: "Oldest waiting", field: "oldestWaitingMs", format: duration, less: "optional" },
];

/** Every queue with its figures, each leading to its jobs. @param {{ queues: readonly Queue[], summaries?: ReadonlyMap<string, string> }} props */
export const ActivitiesTable = ({ queues, summaries }) =>
  html`<div class="table-wrap">
    <table class="table activities">
      <thead>
        <tr>
          <th scope="col">Activity</th>
          ${COLUMNS.map(({ label, less = "" }) => html`<th key=${label} scope="col" class=${`right ${less}`}>${label}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${queues.map((queue) => html`<${Row} key=${queue.name} queue=${queue} summary=${summaries?.get(queue.name)} />`)}
      </tbody>
    </table>
  </div>`;

/** @param {{ queue: Queue, summary: string | undefined }} props */
const Row = ({ queue, summary }) =>
  html`<tr>
    <th scope="row">
      <a href=${to(`/jobs/${queue.name}`)}>${queue.name === CHUNKS ? "batch chunks" : queue.name}</a>
      ${queue.paused && html`<span> <span class="chip">paused</span></span>`}
      ${summary && html`<div class="muted summary">${summary}</div>`}
    </th>
    ${COLUMNS.map(({ field, format, state, less = "" }) => {
      const raw = queue[field];
      const tone = !raw ? "zero" : field === "failed" ? "is-danger-text" : "";
      const text = raw === undefined ? "–" : format(raw);
      return html`<td key=${field} class=${`right ${less}`}>
        ${state ? html`<a class=${tone} href=${to(`/jobs/${queue.name}?state=${state}`)}>${text}</a>` : html`<span class=${tone}>${text}</span>`}
      </td>`;
    })}
  </tr>`;
