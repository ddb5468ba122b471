/** @import { Act } from "../../answers.ts" */
/** @import { Resource } from "../core/resource.js" */
import { moreOf, wordsOf } from "../core/acts.js";
import { html } from "../core/html.js";
import { printable } from "../core/printable.js";
import { useResource } from "../core/resource.js";
import { Time } from "./names.js";

const AGAIN_MS = 5000;

/**
 * What was done to one thing, oldest first; none until it is known.
 * @param {string | undefined} kind undefined asks for nothing
 * @param {string} id
 * @param {string} [activity] queue of a job
 * @returns {readonly Act[]}
 */
export function useActs(kind, id, activity) {
  const query = activity ? `?activity=${encodeURIComponent(activity)}` : "";
  /** @type {Resource<{ entries: readonly Act[] }>} */
  const { data } = useResource(kind && `/api/audit/${kind}/${encodeURIComponent(id)}${query}`, { every: AGAIN_MS });
  return data?.entries ?? [];
}

/** Who did something, as a point of a timeline. @param {Act} act @returns {import("./job-timeline.js").Point & { at: string }} */
export const pointOf = (act) => ({
  label: `${printable(act.actor)} ${wordsOf(act)}`,
  at: act.at,
  note: printable([moreOf(act), act.via === "dashboard" ? "" : `by ${act.via}`].filter(Boolean).join(" · ")),
});

/** Who did what to one thing, as a list. @param {{ acts: readonly Act[] }} props */
export const ActList = ({ acts }) =>
  html`<ol class="timeline">
    ${acts.map((act) => {
      const { label, note } = pointOf(act);
      return html`<li key=${act.id}>
        <span class="break">${label}${note && html`<div class="muted">${note}</div>`}</span>
        <span class="muted"><${Time} at=${act.at} /></span>
      </li>`;
    })}
  </ol>`;
