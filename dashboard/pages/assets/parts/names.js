import { useState } from "preact/hooks";
import { toast } from "../core/dialogs.js";
import { ago, inUtc, when } from "../core/format.js";
import { html } from "../core/html.js";
import { printable, startAndEnd } from "../core/printable.js";
import { Icon } from "./layout.js";

/**
 * A key or an address of an object on one line: cut in the middle where room is short, with nothing in it that is obeyed instead of shown.
 * @param {{ text: string, href?: string, class?: string }} props
 */
export function ObjectName({ text, href, class: extra = "" }) {
  const full = printable(text);
  const [start, end] = startAndEnd(text);
  const parts = html`<bdi class="name-parts" dir="ltr"
    >${start && html`<span class="name-start">${start}</span>`}<span class="name-end">${end}</span></bdi
  >`;
  if (href) return html`<a class=${`name ${extra}`} href=${href} title=${full} aria-label=${full}>${parts}</a>`;
  return html`<span class=${`name ${extra}`} title=${full}>${parts}</span>`;
}

/** Longer text is scrolled in its place: a key may have 1,024 bytes. */
const LONG = 240;

/** The whole of a name. @param {{ text: string }} props */
export const FullName = ({ text }) =>
  text.length > LONG
    ? html`<div class="scrolled mono" role="group" aria-label="The whole name" tabindex="0">
        <bdi dir="ltr">${printable(text)}</bdi>
      </div>`
    : html`<bdi class="mono break" dir="ltr">${printable(text)}</bdi>`;

/** What is said of an error, in full. @param {{ text: string }} props already printable */
export const Message = ({ text }) =>
  text.length > LONG
    ? html`<p class="scrolled" role="group" aria-label="The whole message" tabindex="0">${text}</p>`
    : html`<p>${text}</p>`;

/** A point in time; in UTC for whoever rests on it. @param {{ at: string | undefined }} props */
export const Time = ({ at }) =>
  at === undefined ? html`<span>–</span>` : html`<time datetime=${at} title=${inUtc(at)}>${when(at)}</time>`;

/** How long ago, with the time itself for whoever rests on it. @param {{ at: string | undefined }} props */
export const Ago = ({ at }) =>
  at === undefined
    ? html`<span>–</span>`
    : html`<time datetime=${at} title=${`${when(at)} · ${inUtc(at)}`}>${ago(at)}</time>`;

/** @param {{ text: string, label?: string }} props */
export function CopyButton({ text, label = "Copy" }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      toast("Copied.");
      setTimeout(() => setCopied(false), 2000);
    } catch {
      toast("The browser does not allow copying here.", "danger");
    }
  };
  return html`<button type="button" class="icon-button inline" aria-label=${label} title=${label} onClick=${copy}>
    <${Icon} name=${copied ? "check" : "copy"} />
  </button>`;
}
