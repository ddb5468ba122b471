import { post } from "../../core/api.js";
import { ask } from "../../core/dialogs.js";
import { count } from "../../core/format.js";
import { html } from "../../core/html.js";
import { navigate } from "../../core/router.js";
import { ActionButton } from "../action-button.js";

/** @typedef {"retry" | "cancel" | "forget"} Action */
/** @type {Readonly<Record<Action, { label: string, icon: string, tone: string, does: string }>>} */
const ACTIONS = {
  retry: { label: "Retry all", icon: "retry", tone: "primary", does: "They run again, with all their attempts." },
  cancel: {
    label: "Cancel all",
    icon: "stop",
    tone: "danger",
    does: "What waits will not run any more; what runs is told to stop. What is done stays done.",
  },
  forget: {
    label: "Forget",
    icon: "",
    tone: "",
    does: "They are not told of any more. Failed jobs stay in their lists until their time is over.",
  },
};

/**
 * Buttons that act on many things: each counts first, asks, and leads to where its progress is.
 * @param {{ select: { problem?: string, filter?: object }, actions: readonly Action[], of: string }} props `of` names the things
 */
export const GroupActions = ({ select, actions, of }) =>
  html`<span class="chips">
    ${actions.map((action) => html`<${GroupButton} key=${action} action=${action} select=${select} of=${of} />`)}
  </span>`;

/** @param {{ action: Action, select: object, of: string }} props */
function GroupButton({ action, select, of }) {
  const { label, icon, tone, does } = ACTIONS[action];
  const run = async () => {
    const { total, title } = await post("/api/bulk", { ...select, action, preview: true });
    if (total === 0) return "There is nothing left that this is for.";
    const { yes, reason } = await ask({
      title: `${label.replace(" all", "")} ${count(total)} ${of}?`,
      text: html`<p>${title}.</p>
        <p>${does}</p>`,
      action: `${label.replace(" all", "")} ${count(total)}`,
      tone,
      reason: action !== "retry",
    });
    if (!yes) return undefined;
    const why = reason ? `?${new URLSearchParams({ reason })}` : "";
    const started = await post(`/api/bulk${why}`, { ...select, action, expected: total, ...(reason && { reason }) });
    navigate(`/bulk/${started.id}`);
    return undefined;
  };
  return html`<${ActionButton} label=${label} icon=${icon} tone=${tone} run=${run} />`;
}
