/** @import { Act } from "../../answers.ts" */
/** @import { Resource } from "../core/resource.js" */
/** @import { Route } from "../core/routes.js" */
import { KINDS, moreOf, placeOf, wordsOf } from "../core/acts.js";
import { to } from "../core/base.js";
import { html } from "../core/html.js";
import { printable } from "../core/printable.js";
import { useResource } from "../core/resource.js";
import { changeQuery } from "../core/router.js";
import { textOf } from "../parts/fields.js";
import { Card, EmptyState, Failed, Icon, Loading, PageHead } from "../parts/layout.js";
import { Time } from "../parts/names.js";

const FIELDS = ["actor", "kind", "id", "action"];
const AGAIN_MS = 5000;
const PAGE = 50;

/** @typedef {{ entries: readonly Act[], next?: string }} Answer */

/** Who did what to what, when and why; what is asked for is in the address. @param {{ route: Route }} props */
export function View({ route: { query } }) {
  const asked = new URLSearchParams([["limit", String(PAGE)]]);
  for (const name of [...FIELDS, "cursor"]) {
    const value = query.get(name);
    if (value) asked.set(name, value);
  }
  const older = query.get("cursor") !== null;
  /** @type {Resource<Answer>} */
  const { data, error } = useResource(`/api/audit?${asked}`, { every: older ? undefined : AGAIN_MS });
  return html`<div>
    <${PageHead} name="Audit" title="Audit" />
    <div class="stack">
      <${Filter} query=${query} key=${String(query)} />
      ${!data && (error ? html`<${Failed} error=${error} />` : html`<${Loading} />`)}
      ${data && html`<${Acts} answer=${data} older=${older} />`}
    </div>
  </div>`;
}

/** @param {SubmitEvent} event */
function submit(event) {
  event.preventDefault();
  const data = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
  const words = FIELDS.map((name) => [name, textOf(data, name) || undefined]);
  changeQuery({ ...Object.fromEntries(words), cursor: undefined }, { replace: false, keepScroll: true });
}

/** @param {{ query: URLSearchParams }} props */
function Filter({ query }) {
  const text = (/** @type {string} */ name, /** @type {string} */ label, /** @type {string} */ placeholder) =>
    html`<label class="field"
      ><span>${label}</span
      ><input
        name=${name}
        autocomplete="off"
        spellcheck=${false}
        placeholder=${placeholder}
        defaultValue=${query.get(name) ?? ""}
    /></label>`;
  return html`<section class="card">
    <form class="card-body search-form" role="search" onSubmit=${submit}>
      ${text("actor", "Who", "ada")}
      <label class="field"
        ><span>Thing</span
        ><select name="kind">
          <option value="">Any</option>
          ${KINDS.map((kind) => html`<option key=${kind} value=${kind} selected=${kind === query.get("kind")}>${kind}</option>`)}
        </select></label
      >
      ${text("id", "Its id", "")} ${text("action", "What was done", "batch.cancel, or batch")}
      <button class="button primary"><${Icon} name="search" />Show</button>
    </form>
  </section>`;
}

/** @param {{ answer: Answer, older: boolean }} props */
function Acts({ answer: { entries, next }, older }) {
  if (entries.length === 0)
    return html`<${Card}>
      <${EmptyState} icon="clock" title="Nothing was done">
        <p>
          Who pauses, cancels, retries, deletes or signs in stands here, with the reason they gave: from the dashboard,
          the API, the command line and apps. The newest 10,000 acts are kept.
        </p>
      <//>
    <//>`;
  return html`<${Card}>
    <div class="table-wrap bare">
      <table class="table acts">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">What</th>
            <th scope="col" class="optional">Why, and more</th>
          </tr>
        </thead>
        <tbody>
          ${entries.map((act) => html`<${Row} key=${act.id} act=${act} />`)}
        </tbody>
      </table>
    </div>
    ${
      (older || next) &&
      html`<nav class="pager" aria-label="Pages of the list">
        ${older ? html`<button class="button small" type="button" onClick=${() => changeQuery({ cursor: undefined }, {})}>Newest</button>` : html`<span></span>`}
        ${next ? html`<button class="button small" type="button" onClick=${() => changeQuery({ cursor: next }, {})}>Older</button>` : html`<span></span>`}
      </nav>`
    }
  <//>`;
}

/** @param {{ act: Act }} props */
function Row({ act }) {
  const { at, actor, known, via, target } = act;
  const place = placeOf(target);
  const more = printable(moreOf(act));
  const name = target && `${target.activity ?? target.kind} ${target.id}`;
  return html`<tr>
    <td class="nowrap"><${Time} at=${at} /></td>
    <td class="break">
      <bdi>${printable(actor)}</bdi>
      <div class="muted">${via === known ? via : `${via}, ${known}`}</div>
    </td>
    <td class="key">
      ${wordsOf(act)}
      ${name && html`<div class="break">${place ? html`<a href=${to(place)}><bdi>${printable(name)}</bdi></a>` : html`<bdi>${printable(name)}</bdi>`}</div>`}
      ${more && html`<div class="muted break only-narrow">${more}</div>`}
    </td>
    <td class="break optional">${more}</td>
  </tr>`;
}
