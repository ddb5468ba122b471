/** @import { ComponentChildren, ComponentType } from "preact" */
/** @import { OpenQuestion } from "../core/dialogs.js" */
import { useEffect, useRef, useState } from "preact/hooks";
import { messageOf, question, toast, toasts } from "../core/dialogs.js";
import { html } from "../core/html.js";
import { GO_TO, panel } from "../core/keyboard.js";
import { useStore } from "../core/store.js";

/** A dialog that is open for as long as it is shown. @param {{ label: string, class?: string, onClose: (value: string) => void, children?: ComponentChildren }} props */
function Dialog({ label, class: extra = "", onClose, children }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    element.current?.showModal();
  }, []);
  return html`<dialog
    ref=${element}
    class=${extra}
    aria-label=${label}
    onClose=${() => onClose(element.current?.returnValue ?? "")}
  >
    ${children}
  </dialog>`;
}

/** @param {{ asked: OpenQuestion }} props */
function QuestionDialog({ asked }) {
  const [word, setWord] = useState("");
  const [reason, setReason] = useState("");
  const ready = asked.word === undefined || word === asked.word;
  return html`<${Dialog}
    label=${asked.title}
    onClose=${(/** @type {string} */ value) => asked.answer({ yes: value === "yes", reason })}
  >
    <h2>${asked.title}</h2>
    <div class="muted break">${typeof asked.text === "string" ? html`<p>${asked.text}</p>` : asked.text}</div>
    <form method="dialog" class="form">
      ${
        asked.word !== undefined &&
        html`<label class="field"
          ><span>Type <code>${asked.word}</code> to go on</span
          ><input
            autocomplete="off"
            spellcheck=${false}
            value=${word}
            onInput=${(/** @type {any} */ event) => setWord(event.target.value)}
        /></label>`
      }
      ${
        asked.reason &&
        html`<label class="field"
          ><span>Why? <small>Kept with who did it</small></span
          ><input
            maxlength="500"
            value=${reason}
            onInput=${(/** @type {any} */ event) => setReason(event.target.value)}
        /></label>`
      }
      <div class="dialog-actions">
        <button class="button" value="no" formnovalidate>Back</button>
        <button class=${`button ${asked.tone || "primary"}`} value="yes" disabled=${!ready}>${asked.action}</button>
      </div>
    </form>
  <//>`;
}

/** A panel that was left may say so after another was opened. @param {"keys" | "search"} which */
const leave = (which) => {
  if (panel.get() === which) panel.set("");
};

const KeysDialog = () => html`
  <${Dialog} label="Keys" onClose=${() => leave("keys")}>
    <h2>Keys</h2>
    <dl class="keys">
      <div>
        <dt><kbd>/</kbd> or <kbd>Ctrl</kbd> <kbd>K</kbd></dt>
        <dd>Find a job or a batch, or go to a page</dd>
      </div>
      ${GO_TO.map(
        ([letter, , name]) =>
          html`<div key=${letter}>
            <dt><kbd>g</kbd> <kbd>${letter}</kbd></dt>
            <dd>${name}</dd>
          </div>`,
      )}
      <div>
        <dt><kbd>?</kbd></dt>
        <dd>This list</dd>
      </div>
      <div>
        <dt><kbd>Esc</kbd></dt>
        <dd>Close</dd>
      </div>
    </dl>
    <form method="dialog" class="dialog-actions"><button class="button">Close</button></form>
  <//>
`;

const close = () => leave("search");

/** Few need it at once, so it comes when it is asked for. */
function PaletteDialog() {
  const [Palette, setPalette] = useState(/** @type {ComponentType<{ close: () => void }> | undefined} */ (undefined));
  useEffect(() => {
    import("./palette.js").then(
      (module) => setPalette(() => module.Palette),
      (error) => toast(messageOf(error), "danger"),
    );
  }, []);
  return html`<${Dialog} label="Find" class="palette" onClose=${close}
    >${Palette && html`<${Palette} close=${close} />`}<//
  >`;
}

/** What lies over the page: questions, help, and what was done. */
export function Overlays() {
  const asked = useStore(question);
  const open = useStore(panel);
  return html`<div>
    ${asked && html`<${QuestionDialog} key=${asked.title} asked=${asked} />`}
    ${open === "keys" && html`<${KeysDialog} />`} ${open === "search" && html`<${PaletteDialog} />`}
  </div>`;
}

/** Said in a corner, and to screen readers. */
export const Toasts = () =>
  html`<div class="toasts" role="status" aria-live="polite">
    ${useStore(toasts).map(({ id, message, tone }) => html`<div key=${id} class="toast" data-tone=${tone}>${message}</div>`)}
  </div>`;
