import { to } from "../core/base.js";
import { html } from "../core/html.js";

/** One figure under its name; it leads to its page where there is one. @param {{ name: string, value: string, sub?: string, danger?: boolean, href?: string }} props */
export const Tile = ({ name, value, sub = "", danger = false, href }) =>
  html`<div class=${`card tile${danger ? " is-danger" : ""}`}>
    <dt>${href ? html`<a href=${to(href)}>${name}</a>` : name}</dt>
    <dd>${value}</dd>
    <dd class="sub">${sub}</dd>
  </div>`;
