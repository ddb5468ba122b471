/** @import { ScheduleView } from "../../../answers.ts" */
import { useState } from "preact/hooks";
import { post, remove, withReason } from "../../core/api.js";
import { to } from "../../core/base.js";
import { messageOf, toast } from "../../core/dialogs.js";
import { count, duration } from "../../core/format.js";
import { html } from "../../core/html.js";
import { printable, printableLines } from "../../core/printable.js";
import { navigate } from "../../core/router.js";
import { ActList, useActs } from "../acts.js";
import { ActionButton } from "../action-button.js";
import { textOf } from "../fields.js";
import { Card, Facts, StateBadge } from "../layout.js";
import { Ago, Time } from "../names.js";

/** @typedef {{ schedule: ScheduleView, canOperate: boolean, reload: () => Promise<void> }} Props */

/** @param {ScheduleView} schedule */
const ruleOf = ({ every, cron, timezone }) =>
  every === undefined ? `${cron ?? ""} (${timezone ?? "UTC"})` : `every ${duration(every)}`;

/** @param {ScheduleView} schedule */
function stateOf({ paused, missedSince, failures }) {
  if (paused) return "paused";
  if (missedSince) return "missed";
  return failures > 0 ? "failing" : "scheduled";
}

/** One schedule: when it runs, how its last run ended, and the buttons to steer it. @param {Props} props */
export function ScheduleCard({ schedule, canOperate, reload }) {
  const { id, queue, kind, next, missedSince, paused, last, failures, failingSince, skipped, asks } = schedule;
  const activity = kind === "batches" ? "batches" : html`<a href=${to(`/jobs/${queue}`)}>${queue}</a>`;
  return html`<${Card}
    title=${html`<bdi class="break">${printable(id)}</bdi>`}
    actions=${html`<${StateBadge} state=${stateOf(schedule)} />`}
  >
    <div class="card-body stack">
      <${Facts}
        rows=${[
          ["Asks for", activity],
          ["Runs", printable(ruleOf(schedule))],
          next && ["Next run", html`<${Time} at=${next} />`],
          missedSince && ["Missed since", html`<span class="is-danger-text"><${Time} at=${missedSince} /></span>`],
          paused && [
            "Paused",
            html`<span class="break">by ${printable(paused.by)}, <${Time} at=${paused.at} /></span>`,
          ],
          [
            "Last run",
            last
              ? html`<span
                  ><a href=${to(last.path)}><${Ago} at=${last.at} /></a>${" "}<${StateBadge}
                    state=${last.state}
                  />${last.code && html` <span class="is-danger-text">${printable(last.code)}</span>`}</span
                >`
              : "none yet",
          ],
          failures > 0 && [
            "Fails",
            html`<span class="is-danger-text"
              >${count(failures)} in a row${failingSince && html`, since <${Time} at=${failingSince} />`}</span
            >`,
          ],
          skipped > 0 && ["Left out", `${count(skipped)} times, because the one before was at work`],
        ]}
      />
      <details class="more">
        <summary>What each run asks for</summary>
        <pre class="code" tabindex="0">${printableLines(JSON.stringify(asks, undefined, 2) ?? "")}</pre>
      </details>
      <${WhoDidWhat} id=${id} />
      ${canOperate && html`<${Steering} schedule=${schedule} reload=${reload} />`}
    </div>
  <//>`;
}

/** @param {{ id: string }} props */
function WhoDidWhat({ id }) {
  const [open, setOpen] = useState(false);
  const acts = useActs(open ? "schedule" : undefined, id);
  return html`<details class="more" onToggle=${(/** @type {any} */ event) => setOpen(event.target.open)}>
    <summary>Who did what</summary>
    ${open && (acts.length > 0 ? html`<${ActList} acts=${acts} />` : html`<p class="muted">Nothing is recorded.</p>`)}
  </details>`;
}

/** @param {{ schedule: ScheduleView, reload: () => Promise<void> }} props */
function Steering({ schedule, reload }) {
  const { id, queue, paused } = schedule;
  const [editing, setEditing] = useState(false);
  const path = `/api/schedules/${queue}/${encodeURIComponent(id)}`;
  const then = async (/** @type {Promise<unknown>} */ done) => {
    await done;
    await reload();
  };
  const runNow = async () => navigate((await post(`${path}/run`)).path);
  const gone = {
    title: `Remove ${id}?`,
    text: "Jobs and batches that it made already go on.",
    tone: "danger",
    reason: true,
  };
  return html`<div class="stack">
    <span class="chips">
      ${
        paused
          ? html`<${ActionButton}
              label="Resume"
              icon="play"
              tone="primary"
              run=${() => then(post(`${path}/resume`))}
              done="The schedule goes on."
            />`
          : html`<${ActionButton}
              label="Pause"
              icon="pause"
              run=${() => then(post(`${path}/pause`))}
              done="The schedule is paused."
            />`
      }
      <${ActionButton} label="Run now" icon="play" run=${runNow} done="A run was asked for." />
      <button class="button" type="button" aria-expanded=${String(editing)} onClick=${() => setEditing(!editing)}>
        Edit
      </button>
      <${ActionButton}
        label="Remove"
        icon="stop"
        tone="danger"
        confirm=${gone}
        run=${(/** @type {string} */ reason) => then(remove(withReason(path, reason)))}
        done="The schedule is removed."
      />
    </span>
    ${editing && html`<${RuleForm} schedule=${schedule} path=${path} done=${async () => (setEditing(false), await reload())} />`}
  </div>`;
}

/** @param {{ schedule: ScheduleView, path: string, done: () => Promise<void> }} props */
function RuleForm({ schedule: { every, cron, timezone }, path, done }) {
  const [said, setSaid] = useState("");
  const save = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    const text = (/** @type {string} */ name) => textOf(data, name) || undefined;
    const zone = text("timezone");
    const rule = text("cron")
      ? { cron: text("cron"), ...(zone && { timezone: zone }) }
      : { every: text("every") ?? "" };
    try {
      await post(`${path}/rule`, rule);
      toast("It runs at other times now.");
      await done();
    } catch (error) {
      setSaid(messageOf(error));
    }
  };
  return html`<form class="search-form" onSubmit=${save}>
    <label class="field"
      ><span>Every</span
      ><input name="every" placeholder="5m" defaultValue=${every === undefined ? "" : `${every / 1000}s`}
    /></label>
    <label class="field"
      ><span>or cron</span><input name="cron" placeholder="0 3 * * *" defaultValue=${cron ?? ""}
    /></label>
    <label class="field"
      ><span>Time zone</span><input name="timezone" placeholder="Europe/Berlin" defaultValue=${timezone ?? ""}
    /></label>
    <button class="button primary">Save</button>
    <p class="form-error wide" role="alert">${said}</p>
  </form>`;
}
