/** @import { Batch } from "../../../answers.ts" */
import { messageOf, toast } from "../../core/dialogs.js";
import { html } from "../../core/html.js";

/** @typedef {{ batch: Batch, steer: (verb: string, body?: unknown) => Promise<unknown> }} Steered */

/**
 * Sends what a form of one number holds.
 * @param {SubmitEvent} event
 * @param {string} name
 * @param {(value: number | null) => Promise<unknown>} send
 */
async function submit(event, name, send) {
  event.preventDefault();
  const field = /** @type {HTMLFormElement} */ (event.currentTarget).elements.namedItem(name);
  if (!(field instanceof HTMLInputElement)) return;
  try {
    await send(field.value.trim() === "" ? null : field.valueAsNumber);
    toast(`The ${name} is set.`);
  } catch (error) {
    toast(messageOf(error), "danger");
  }
}

/** Lets a batch go before or after others. @param {Steered} props */
export const PriorityForm = ({ batch, steer }) =>
  html`<form
    class="inline-form"
    novalidate
    onSubmit=${(/** @type {SubmitEvent} */ event) => submit(event, "priority", (priority) => steer("priority", { priority }))}
  >
    <input class="input" type="number" name="priority" min="1" aria-label="Priority" defaultValue=${batch.priority} />
    <button class="button small">Set</button><span class="muted">1 goes first</span>
  </form>`;

/** Holds a batch to another rate; an empty field lifts the limit. @param {Steered} props */
export const RateForm = ({ batch, steer }) =>
  html`<form
    class="inline-form"
    novalidate
    onSubmit=${(/** @type {SubmitEvent} */ event) => submit(event, "limit", (rate) => steer("rate", { maxObjectsPerSecond: rate }))}
  >
    <input
      class="input"
      type="number"
      name="limit"
      min="0"
      step="any"
      placeholder="none"
      aria-label="Limit of objects per second"
      defaultValue=${batch.spec.maxObjectsPerSecond ?? ""}
    />
    <button class="button small">Set</button><span class="muted">objects/s</span>
  </form>`;
