/** @import { Job } from "../../answers.ts" */
import { duration } from "../core/format.js";
import { printable } from "../core/printable.js";
import { html } from "../core/html.js";
import { pointOf, useActs } from "./acts.js";
import { Time } from "./names.js";

/** @type {Readonly<Record<string, string>>} */
const ENDS = { completed: "Completed", failed: "Failed", cancelled: "Cancelled" };

/** @typedef {{ label: string, at: string | undefined, note?: string, bad?: boolean }} Point */

/**
 * When a job was asked for, every attempt that failed, the last one, and its end. The last attempt that failed is both.
 * @param {Job} job
 * @returns {readonly Point[]}
 */
function pointsOf({ createdAt, dueAt, startedAt, finishedAt, state, tries, worker }) {
  const last = tries.at(-1);
  const failed = state === "failed" || state === "cancelled";
  const open = startedAt && !(last && failed && Date.parse(last.at) >= Date.parse(startedAt) - 1000);
  return [
    { label: "Queued", at: createdAt },
    { label: "Due", at: dueAt },
    ...tries.map((one) => ({
      label: `Attempt failed: ${printable(one.code)}`,
      at: one.at,
      note: `after ${duration(one.ms)}, ${workerName(one.worker)}`,
      bad: true,
    })),
    ...(open
      ? [
          {
            label: state === "active" ? "Attempt started" : "Last attempt started",
            at: startedAt,
            ...(worker && { note: workerName(worker) }),
          },
        ]
      : []),
    { label: ENDS[state] ?? "Ended", at: finishedAt, bad: state === "failed" },
  ];
}

/** @param {string} id */
const workerName = (id) => `worker ${printable(id).slice(0, 8)}`;

/** @param {{ at: string }} one @param {{ at: string }} other */
const byTime = (one, other) => Date.parse(one.at) - Date.parse(other.at);

/** The story of a job. @param {{ job: Job }} props */
export function JobTimeline({ job }) {
  const { createdAt, id, activity } = job;
  const acts = useActs("job", id, activity);
  if (!createdAt) return html`<p class="muted">It was cancelled before it ran, so nothing more is kept of it.</p>`;
  return html`<${Timeline} start=${createdAt} points=${[...pointsOf(job), ...acts.map(pointOf)]} />`;
}

/** Points in the order of time, each with its distance from the start; those without a time are left out. @param {{ start: string, points: readonly Point[] }} props */
export function Timeline({ start, points }) {
  const placed = points.flatMap(({ at, ...rest }) => (at ? [{ ...rest, at }] : [])).toSorted(byTime);
  return html`<ol class="timeline">
    ${placed.map(
      ({ label, at, note, bad }) =>
        html`<li key=${`${label} ${at}`} class=${bad ? "bad" : ""}>
          <span class="break"
            >${label}${" "}<span class="muted"
              >${at === start ? "" : `+${duration(Math.max(0, Date.parse(at) - Date.parse(start)))}`}</span
            >${note && html`<div class="muted">${note}</div>`}</span
          >
          <span class="muted"><${Time} at=${at} /></span>
        </li>`,
    )}
  </ol>`;
}
