/** @import { ComponentChildren } from "preact" */
import { useEffect } from "preact/hooks";
import { ApiError } from "../core/api.js";
import { asset, to } from "../core/base.js";
import { messageOf } from "../core/dialogs.js";
import { TONES } from "../core/format.js";
import { html } from "../core/html.js";

const icons = asset("icons.svg");

/** @param {{ name: string }} props */
export const Icon = ({ name }) => html`<svg class="icon" aria-hidden="true"><use href=${`${icons}#${name}`} /></svg>`;

/** A state as a coloured word. @param {{ state: string }} props */
export const StateBadge = ({ state }) => html`<span class="badge" data-tone=${TONES[state] ?? ""}>${state}</span>`;

/** @param {{ title?: ComponentChildren, note?: ComponentChildren, actions?: ComponentChildren, class?: string, id?: string, children?: ComponentChildren }} props */
export const Card = ({ title, note, actions, class: extra = "", id, children }) => html`
  <section class=${`card ${extra}`} id=${id}>
    ${
      (title || actions) &&
      html`<div class="card-head">
        ${title && html`<h2>${title}</h2>`} ${note && html`<span class="card-note">${note}</span>`}
        ${actions && html`<div class="actions">${actions}</div>`}
      </div>`
    }
    ${children}
  </section>
`;

/**
 * The heading of a page. `name` is its title in the tab, where that is not the heading's text; `label` is what a screen reader says
 * of a heading that is cut.
 * @param {{ title: ComponentChildren, name: string, label?: string, crumbs?: readonly (readonly [text: string, path: string])[], actions?: ComponentChildren }} props
 */
export function PageHead({ title, name, label, crumbs, actions }) {
  useEffect(() => {
    document.title = `${name} · Bucketline`;
  }, [name]);
  return html`
    <div class="page-head">
      ${
        crumbs &&
        html`<nav class="crumbs" aria-label="Where you are">
          ${crumbs.map(
            ([text, path]) =>
              html`<span key=${path}><a href=${to(path)}>${text}</a> <span aria-hidden="true">/</span></span>`,
          )}
        </nav>`
      }
      <h1 aria-label=${label}>${title}</h1>
      <div class="actions">${actions}</div>
    </div>
  `;
}

/** What is shown where there is nothing, with what to do about it. @param {{ icon: string, title: string, children?: ComponentChildren }} props */
export const EmptyState = ({ icon, title, children }) => html`
  <div class="empty">
    <${Icon} name=${icon} />
    <h2>${title}</h2>
    ${children}
  </div>
`;

/** Rows of a name and a value. @param {{ rows: readonly (readonly [string, ComponentChildren] | false | undefined | "" | 0)[] }} props */
export const Facts = ({ rows }) => html`
  <dl class="facts">
    ${rows.map(
      (row) =>
        row &&
        html`<div key=${row[0]}>
          <dt>${row[0]}</dt>
          <dd>${row[1]}</dd>
        </div>`,
    )}
  </dl>
`;

/** @param {{ severity?: string, title: ComponentChildren, children?: ComponentChildren }} props */
export const Alert = ({ severity = "warning", title, children }) => html`
  <div class="alert" data-severity=${severity}>
    <${Icon} name="warning" />
    <div class="break">
      <p><strong>${title}</strong></p>
      ${children}
    </div>
  </div>
`;

/** In the place of what has not come yet. */
export const Loading = () => html`
  <section class="card loading" role="status"><span class="spinner" aria-hidden="true"></span>Loading…</section>
`;

/** In the place of what could not be had. It is tried again by itself. @param {{ error: unknown }} props */
export const Failed = ({ error }) => html`
  <section class="card">
    <${EmptyState}
      icon="warning"
      title=${error instanceof ApiError ? (error.problem.title ?? "No answer") : "That did not work"}
    >
      <p class="break" role="alert">${messageOf(error)}</p>
      ${(!(error instanceof ApiError) || error.status === 0 || error.status >= 500) && html`<p>It is tried again by itself.</p>`}
    <//>
  </section>
`;
