/** @import { Overview } from "../../answers.ts" */
import { post, withReason } from "../core/api.js";
import { count, duration } from "../core/format.js";
import { html } from "../core/html.js";
import { printable } from "../core/printable.js";
import { ActionButton } from "./action-button.js";
import { useActs } from "./acts.js";
import { Time } from "./names.js";

/** @typedef {Overview["queues"][number]} Queue */

const PAUSE = {
  title: "Pause this queue?",
  text: "No worker takes jobs from it until it is resumed. What runs goes on.",
  reason: true,
};

/** @param {{ queue: Queue }} props */
export function QueueSteering({ queue: { name, paused } }) {
  const path = `/api/queues/${name}`;
  if (paused)
    return html`<${ActionButton}
      label="Resume"
      icon="play"
      tone="primary"
      run=${() => post(`${path}/resume`)}
      done="Workers take its jobs again."
    />`;
  return html`<${ActionButton}
    label="Pause"
    icon="pause"
    confirm=${PAUSE}
    run=${(/** @type {string} */ reason) => post(withReason(`${path}/pause`, reason))}
    done="The queue is paused."
  />`;
}

/** Why jobs of a queue wait, where they do. @param {{ queue: Queue, overview: Overview }} props */
export function QueueHold({ queue, overview }) {
  const acts = useActs(queue.paused ? "queue" : undefined, queue.name);
  if (queue.paused) {
    const act = acts.findLast(({ action }) => action.endsWith(".pause"));
    const who = act ? ` by ${printable(act.actor)}${act.reason ? ` (“${printable(act.reason)}”)` : ""}` : "";
    return html`<p class="hold">
      <strong>The queue is paused${who}</strong
      >${act && html`<span class="muted"> since <${Time} at=${act.at} /></span>`}
    </p>`;
  }
  if (queue.waiting === 0) return null;
  const takers = overview.workers.filter(({ activities }) => activities.includes(queue.name));
  if (takers.length === 0) return html`<p class="hold"><strong>No worker takes ${queue.name}</strong></p>`;
  const slots = takers.reduce((sum, { concurrency }) => sum + (concurrency[queue.name] ?? 0), 0);
  if (slots === 0 || queue.active < slots) return null;
  const oldest = queue.oldestWaitingMs === undefined ? "" : `, the oldest for ${duration(queue.oldestWaitingMs)}`;
  return html`<p class="hold">
    <strong>All ${count(slots)} slots are taken</strong
    ><span class="muted"> ${count(queue.waiting)} ${queue.waiting === 1 ? "job waits" : "jobs wait"}${oldest}</span>
  </p>`;
}
