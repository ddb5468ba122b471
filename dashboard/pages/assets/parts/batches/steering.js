/** @import { Batch } from "../../../answers.ts" */
import { post, withReason } from "../../core/api.js";
import { to } from "../../core/base.js";
import { ENDED } from "../../core/batches/progress.js";
import { bytes, count } from "../../core/format.js";
import { html } from "../../core/html.js";
import { navigate } from "../../core/router.js";
import { ActionButton } from "../action-button.js";
import { Icon } from "../layout.js";

/** @typedef {{ batch: Batch, steer: (verb: string, body?: unknown) => Promise<unknown> }} Steered */

/** The two share a place, so that whoever works by keyboard stays where they were. @param {Steered} props */
function PauseOrResume({ batch: { state }, steer }) {
  if (state === "running")
    return html`<${ActionButton}
      label="Pause"
      icon="pause"
      run=${() => steer("pause")}
      done="Workers were told to pause."
    />`;
  if (state === "paused" || state === "pausing")
    return html`<${ActionButton}
      label="Resume"
      icon="play"
      tone="primary"
      run=${() => steer("resume")}
      done="The batch goes on."
    />`;
  return null;
}

/** @param {Steered} props */
function Confirm({ batch, steer }) {
  const { plan, operation, spec, sources } = batch;
  const deletes = sources === "deleted" && spec.destination === undefined;
  const bucket = spec.source.bucket;
  const text = `${count(plan?.objects ?? 0)} objects, ${bytes(plan?.bytes ?? 0)}${deletes ? ", will be gone" : ""}.`;
  const confirm = {
    title: `Start this ${operation}?`,
    text,
    action: "Start it",
    // What nobody named: whoever starts it has read how much it is, and where.
    ...(deletes && {
      tone: "danger",
      reason: true,
      ...(spec.source.items === undefined && { word: bucket ?? count(plan?.objects ?? 0) }),
    }),
  };
  return html`<${ActionButton}
    label="Confirm and start"
    icon="play"
    tone="primary"
    confirm=${confirm}
    run=${(/** @type {string} */ reason) => steer(withReason("confirm", reason))}
    done="The batch is running."
  />`;
}

const CANCEL = {
  title: "Cancel this batch?",
  text: "What is done stays done; nothing more is copied or deleted. It cannot be resumed.",
  action: "Cancel the batch",
  reason: true,
};

/** @param {string} path @param {boolean} includeUnattempted */
const retry = async (path, includeUnattempted) => {
  const started = await post(`${path}/retry-failed`, { includeUnattempted });
  navigate(`/batches/${started.id}`);
  return includeUnattempted ? "What failed and what was left is tried again." : "What failed is tried again.";
};

/** @param {{ batch: Batch, path: string }} props */
function Retries({ batch, path }) {
  if (!ENDED.includes(batch.state)) return null;
  return html`<span class="chips">
    ${batch.failed > 0 && html`<${ActionButton} label="Retry failed" icon="retry" run=${() => retry(path, false)} />`}
    ${batch.unattempted > 0 && html`<${ActionButton} label=${batch.failed > 0 ? "Retry failed and unattempted" : "Retry unattempted"} icon="retry" run=${() => retry(path, true)} />`}
  </span>`;
}

/** A new form filled with what this one asked for. @param {{ path: string }} props */
const CloneLink = ({ path }) =>
  html`<a class="button" href=${to(`/batches/new?from=${path.split("/").at(-1) ?? ""}`)}
    ><${Icon} name="copy" />Clone</a
  >`;

/** The buttons of a batch, for whoever may press them; reports are for all. @param {Steered & { path: string, canOperate: boolean }} props */
export function BatchSteering({ batch, path, steer, canOperate }) {
  const { state } = batch;
  return html`<span class="chips">
    ${
      canOperate &&
      html`<span class="chips">
        ${state === "planned" && html`<${Confirm} batch=${batch} steer=${steer} />`}
        <${PauseOrResume} batch=${batch} steer=${steer} />
        ${
          ["running", "pausing", "paused", "planned"].includes(state) &&
          html`<${ActionButton}
            label="Cancel"
            icon="stop"
            tone="danger"
            confirm=${CANCEL}
            run=${(/** @type {string} */ reason) => steer(withReason("cancel", reason))}
            done="The batch was cancelled."
          />`
        }
        <${Retries} batch=${batch} path=${path} />
      </span>`
    }
    ${
      state !== "planned" &&
      html`<span class="chips">
        <a class="button" href=${to(`${path}/report?format=csv`)} download=""><${Icon} name="download" />CSV</a>
        <a class="button" href=${to(`${path}/report?format=ndjson`)} download=""><${Icon} name="download" />NDJSON</a>
      </span>`
    }
    ${canOperate && html`<${CloneLink} path=${path} />`}
  </span>`;
}
