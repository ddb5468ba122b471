/** @import { Batch } from "../../../answers.ts" */
import { to } from "../../core/base.js";
import { describeBatch, doneOf, ENDED, isOpenEnded, shareOf, wholeOf } from "../../core/batches/progress.js";
import { bytes, count, duration, rate, shortCount } from "../../core/format.js";
import { html } from "../../core/html.js";
import { printable } from "../../core/printable.js";
import { StateBadge } from "../layout.js";
import { Ago, ObjectName } from "../names.js";

/** A bar of what became of the objects. Where their number is not known yet, it is of what was found so far. @param {{ batch: Batch, big?: boolean }} props */
export function ProgressBar({ batch, big = false }) {
  const whole = Math.max(wholeOf(batch), doneOf(batch), 1);
  const share = shareOf(batch);
  const width = (/** @type {number} */ part) => ({ width: `${(100 * part) / whole}%` });
  const text =
    share === undefined ? `${count(doneOf(batch))} objects done` : `${share}% of ${count(wholeOf(batch))} objects`;
  return html`<div
    class=${`bar${big ? " big" : ""}${isOpenEnded(batch) ? " unknown" : ""}`}
    role="progressbar"
    aria-valuemin="0"
    aria-valuemax="100"
    aria-valuenow=${share}
    aria-label=${text}
  >
    <div class="bar-fill succeeded" style=${width(batch.succeeded)}></div>
    <div class="bar-fill failed" style=${width(batch.failed)}></div>
    <div class="bar-fill skipped" style=${width(batch.skipped)}></div>
  </div>`;
}

/** @param {Batch} batch */
function progressText(batch) {
  if (batch.state === "planned") return `${count(batch.plan?.objects ?? batch.listed)} objects planned`;
  if (ENDED.includes(batch.state) && wholeOf(batch) === 0) return "no object";
  const open = isOpenEnded(batch) ? " found so far" : "";
  const left = batch.unattempted > 0 ? `, ${shortCount(batch.unattempted)} not attempted` : "";
  const failed = batch.failed > 0 && batch.state === "running" ? `, ${shortCount(batch.failed)} failed` : "";
  return `${shortCount(doneOf(batch))} of ${shortCount(wholeOf(batch))}${open}${failed}${left}`;
}

/** @param {Batch} batch */
function speedText(batch) {
  if (batch.state === "failed") return batch.error?.code ?? "failed";
  if (batch.failed > 0 && batch.state !== "running") return `${shortCount(batch.failed)} failed`;
  if (ENDED.includes(batch.state)) return bytes(batch.bytes);
  if (batch.state !== "running") return "";
  const left = batch.etaSeconds === undefined ? "" : `, ${duration(batch.etaSeconds * 1000)} to go`;
  return `${rate(batch.objectsPerSecond)}/s${left}`;
}

/** Whether {@link speedText} is about what failed. @param {Batch} batch */
const tellsFailure = ({ state, failed }) => state === "failed" || (failed > 0 && state !== "running");

/** A batch in a list. @param {{ batch: Batch }} props */
export function BatchRow({ batch }) {
  const { title, route } = describeBatch(batch);
  return html`<div class="batch-row">
    <div class="what">
      <a href=${to(`/batches/${batch.id}`)} class="break"><bdi>${title}</bdi></a>
      <div class="route"><${ObjectName} text=${route} /></div>
    </div>
    <div class="how">
      <${ProgressBar} batch=${batch} />
      <div class="line">
        <span>${progressText(batch)}</span
        ><span class=${tellsFailure(batch) ? "is-danger-text" : ""}>${speedText(batch)}</span>
      </div>
      ${batch.holds.length > 0 && batch.state === "running" && html`<div class="why muted">${printable(batch.holds.map(({ message }) => message).join(", "))}</div>`}
    </div>
    <div class="state">
      <${StateBadge} state=${batch.state} /><span class="muted"
        >${batch.endedAt ? "" : "begun "}<${Ago} at=${batch.endedAt ?? batch.startedAt ?? batch.createdAt}
      /></span>
    </div>
  </div>`;
}
