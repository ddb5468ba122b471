import { now } from "../../core/clock.js";
import { useRef } from "preact/hooks";
import { html } from "../../core/html.js";
import { changeQuery } from "../../core/router.js";
import { FIELDS } from "../../core/search.js";
import { textOf } from "../fields.js";
import { Icon } from "../layout.js";

const STATES = ["failed", "waiting", "active", "delayed", "completed"];
/** @type {readonly (readonly [value: string, label: string])[]} */
const SPANS = [
  ["", "Any time"],
  ["15", "Last 15 min"],
  ["60", "Last hour"],
  ["1440", "Last day"],
  ["10080", "Last week"],
];

/** @param {string} local as a field of date and time has it */
const instantOf = (local) => (local === "" || Number.isNaN(Date.parse(local)) ? "" : new Date(local).toISOString());

/** An instant as a field of date and time wants it. @param {string | null} at */
function localOf(at) {
  const date = new Date(at ?? "");
  if (at === null || Number.isNaN(date.getTime())) return "";
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** What is written in the form, as words of an address. @param {HTMLFormElement} form */
function wordsOf(form) {
  const data = new FormData(form);
  const written = (/** @type {string} */ name) => textOf(data, name);
  const span = Number(written("span"));
  const since = span > 0 ? new Date(now() - span * 60_000).toISOString() : instantOf(written("since"));
  const times = { since, until: instantOf(written("until")) };
  return Object.fromEntries(
    FIELDS.map((name) => [name, (name === "since" || name === "until" ? times[name] : written(name)) || undefined]),
  );
}

/** @param {{ name: string, label: string, placeholder: string, value: string | null }} props */
const Text = ({ name, label, placeholder, value }) =>
  html`<label class="field"
    ><span>${label}</span
    ><input name=${name} autocomplete="off" spellcheck=${false} placeholder=${placeholder} defaultValue=${value ?? ""}
  /></label>`;

/** @param {{ name: string, label: string, values: readonly string[], value: string | null }} props */
const Select = ({ name, label, values, value }) =>
  html`<label class="field"
    ><span>${label}</span
    ><select name=${name}>
      <option value="">Any</option>
      ${values.map((one) => html`<option key=${one} value=${one} selected=${one === value}>${one}</option>`)}
    </select></label
  >`;

/** @param {{ name: string, label: string, value: string | null }} props */
const Moment = ({ name, label, value }) =>
  html`<label class="field"
    ><span>${label}</span><input name=${name} type="datetime-local" defaultValue=${localOf(value)}
  /></label>`;

/** What is looked for; it goes into the address, so that it can be passed on. @param {{ query: URLSearchParams, activities: readonly string[] }} props */
export function SearchForm({ query, activities }) {
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (form.current) changeQuery(wordsOf(form.current), { replace: false, keepScroll: true });
  };
  const of = (/** @type {string} */ name) => query.get(name);
  return html`<section class="card">
    <form class="card-body search-form" role="search" ref=${form} onSubmit=${submit}>
      <label class="field wide"
        ><span>Key, bucket, label or id</span
        ><input
          name="text"
          type="search"
          autocomplete="off"
          spellcheck=${false}
          placeholder="Any part of a key or a label, or the beginning of an id"
          defaultValue=${of("text") ?? ""}
      /></label>
      <${Select} name="activity" label="Activity" values=${activities} value=${of("activity")} />
      <${Select} name="state" label="State" values=${STATES} value=${of("state")} />
      <${Text} name="code" label="Error code" placeholder="NoSuchKey" value=${of("code")} />
      <${Text} name="bucket" label="Bucket" placeholder="photos" value=${of("bucket")} />
      <${Text} name="profile" label="Profile" placeholder="default" value=${of("profile")} />
      <label class="field"
        ><span>Ended</span
        ><select name="span">
          ${SPANS.map(([value, label]) => html`<option key=${value} value=${value}>${label}</option>`)}
        </select></label
      >
      <${Moment} name="since" label="Ended after" value=${of("since")} />
      <${Moment} name="until" label="Ended before" value=${of("until")} />
      <button class="button primary"><${Icon} name="search" />Search</button>
    </form>
  </section>`;
}
