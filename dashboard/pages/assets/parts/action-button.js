/** @import { Question } from "../core/dialogs.js" */
import { useRef, useState } from "preact/hooks";
import { ask, messageOf, toast } from "../core/dialogs.js";
import { html } from "../core/html.js";
import { Icon } from "./layout.js";

/**
 * A button that does one thing at a time and says what came of it. It keeps the focus while it works.
 * @param {{ label: string, icon?: string, tone?: string, confirm?: Question, run: (reason: string) => Promise<unknown>, done?: string }} props
 *   `run` may return what is to be said instead of `done`
 */
export function ActionButton({ label, icon, tone = "", confirm, run, done }) {
  const [busy, setBusy] = useState(false);
  const working = useRef(false);
  const press = async () => {
    if (working.current) return;
    working.current = true;
    try {
      let reason = "";
      if (confirm) {
        const answer = await ask({ tone, ...confirm, action: confirm.action ?? label });
        if (!answer.yes) return;
        ({ reason } = answer);
      }
      setBusy(true);
      const said = await run(reason);
      const text = typeof said === "string" ? said : done;
      if (text) toast(text);
    } catch (error) {
      toast(messageOf(error), "danger");
    } finally {
      working.current = false;
      setBusy(false);
    }
  };
  // Not `disabled`: a disabled button loses the focus, and whoever works by keyboard their place.
  return html`<button
    type="button"
    class=${`button ${tone}`}
    aria-disabled=${busy ? "true" : undefined}
    onClick=${press}
  >
    ${icon && html`<${Icon} name=${icon} />`}${label}
  </button>`;
}
