/** @import { ComponentChildren } from "preact" */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { html } from "../core/html.js";

/** What is wrong, by field. Errors of parts of a field (`filter.include.0`) are said beside it. */
export const FieldErrors = createContext(/** @type {readonly { field: string, message: string }[]} */ ([]));

/** @param {string} name */
function useError(name) {
  const found = useContext(FieldErrors).find(({ field }) => field === name || field.startsWith(`${name}.`));
  return found?.message ?? "";
}

/**
 * What is written in a field.
 * @param {FormData} data
 * @param {string} name
 */
export function textOf(data, name) {
  const value = data.get(name);
  return typeof value === "string" ? value.trim() : "";
}

/**
 * A field with its label, its hint and what is wrong with it. Further properties go to the input.
 * @param {{ name: string, label: string, hint?: string, rows?: number, options?: readonly (readonly [value: string, label: string])[], [attribute: string]: unknown }} props
 */
export function Field({ name, label, hint, rows, options, ...attributes }) {
  const error = useError(name);
  const shared = {
    name,
    id: `f-${name}`,
    "aria-invalid": error ? "true" : undefined,
    "aria-describedby": error ? `e-${name}` : undefined,
  };
  return html`<label class="field" data-field=${name}>
    <span>${label}</span>
    ${
      options
        ? html`<select ...${shared} ...${attributes}>
            ${options.map(([value, text]) => html`<option key=${value} value=${value}>${text}</option>`)}
          </select>`
        : rows
          ? html`<textarea
              ...${shared}
              rows=${rows}
              autocomplete="off"
              spellcheck=${false}
              ...${attributes}
            ></textarea>`
          : html`<input ...${shared} autocomplete="off" spellcheck=${false} ...${attributes} />`
    }
    ${hint && html`<small>${hint}</small>`}
    <span class="field-error" id=${`e-${name}`} role="alert">${error}</span>
  </label>`;
}

/**
 * One of several, each with a line of what it means.
 * @param {{ name: string, legend: string, value: string, options: readonly (readonly [value: string, label: string, text: string])[], onPick: (value: string) => void }} props
 */
export function Choices({ name, legend, value, options, onPick }) {
  const error = useError(name);
  return html`<fieldset data-field=${name}>
    <legend>${legend}</legend>
    <div class="choices">
      ${options.map(
        ([one, label, text]) =>
          html`<label key=${one} class="choice">
            <input type="radio" name=${name} value=${one} checked=${one === value} onChange=${() => onPick(one)} />
            <span>${label}</span><small>${text}</small>
          </label>`,
      )}
    </div>
    <span class="field-error" role="alert">${error}</span>
  </fieldset>`;
}

/** @param {{ children?: ComponentChildren }} props */
export const FieldRow = ({ children }) => html`<div class="field-row">${children}</div>`;

/** Fields that few need; open where something in them is wrong. @param {{ title: string, names: readonly string[], children?: ComponentChildren }} props */
export function MoreFields({ title, names, children }) {
  const wrong = useContext(FieldErrors).some(({ field }) =>
    names.some((name) => field === name || field.startsWith(`${name}.`)),
  );
  return html`<details class="more" open=${wrong || undefined}>
    <summary>${title}</summary>
    <div class="form">${children}</div>
  </details>`;
}
