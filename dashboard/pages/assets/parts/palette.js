import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "../core/api.js";
import { to } from "../core/base.js";
import { messageOf } from "../core/dialogs.js";
import { html } from "../core/html.js";
import { GO_TO } from "../core/keyboard.js";
import { navigate } from "../core/router.js";
import { printable } from "../core/printable.js";
import { Icon } from "./layout.js";

/** @typedef {{ path: string, text: string, note: string }} Found */

/**
 * Jobs and batches with this id. A batch's id is looked at only where it has the form of one.
 * @param {string} id
 * @returns {Promise<readonly Found[]>}
 */
async function findById(id) {
  const query = encodeURIComponent(id);
  const batch = /^[a-z0-9]{1,64}$/.test(id) ? get(`/api/batches/${query}`).catch(() => undefined) : undefined;
  const [{ jobs }, found] = await Promise.all([get(`/api/jobs?id=${query}`), batch]);
  return [
    ...(found ? [{ path: `/batches/${found.id}`, text: found.id, note: `batch, ${found.state}` }] : []),
    ...jobs.map((/** @type {{ activity: string, id: string, state: string }} */ job) => ({
      path: `/jobs/${job.activity}/${encodeURIComponent(job.id)}`,
      text: job.id,
      note: `${job.activity}, ${job.state}`,
    })),
  ];
}

/** @param {{ wanted: string, places: readonly Found[], asked: boolean, close: () => void }} props */
const FoundList = ({ wanted, places, asked, close }) =>
  html`<ul class="found">
    ${
      wanted !== "" &&
      !asked &&
      html`<li key="search">
        <a href=${to(searchPath(wanted))} onClick=${close}
          ><${Icon} name="search" /><span class="break">Search everything for “${printable(wanted)}”</span></a
        >
      </li>`
    }
    ${places.map(
      ({ path, text: name, note }) =>
        html`<li key=${path}>
          <a href=${to(path)} onClick=${close}
            ><${Icon} name="search" /><span class="break">${name}</span><span class="muted">${note}</span></a
          >
        </li>`,
    )}
  </ul>`;

/** @param {string} text */
const searchPath = (text) => `/search?${new URLSearchParams({ text })}`;

/** Finds a thing by its id, a page by its name, and leads to the search for everything else. @param {{ close: () => void }} props */
export function Palette({ close }) {
  const [text, setText] = useState("");
  const [found, setFound] = useState(/** @type {readonly Found[] | undefined} */ (undefined));
  const [problem, setProblem] = useState("");
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => input.current?.focus(), []);
  const wanted = text.trim();
  const pages = GO_TO.filter(([, , name]) => name.toLowerCase().includes(wanted.toLowerCase())).map(
    ([letter, path, name]) => ({ path, text: name, note: `g ${letter}` }),
  );
  const go = (/** @type {string} */ path) => {
    close();
    navigate(path);
  };
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setProblem("");
    const page = pages.find(({ text: name }) => name.toLowerCase().startsWith(wanted.toLowerCase()));
    if (wanted === "") return;
    if (page) return go(page.path);
    try {
      const things = await findById(wanted);
      const [only] = things;
      if (things.length === 1 && only) return go(only.path);
      if (things.length === 0) return go(searchPath(wanted));
      setFound(things);
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  return html`<form role="search" class="form" onSubmit=${submit}>
    <input
      ref=${input}
      class="input"
      type="search"
      placeholder="Key, label, id, code, or a page"
      aria-label="Find jobs and batches by key, label or id, or a page"
      autocomplete="off"
      spellcheck=${false}
      value=${text}
      onInput=${(/** @type {any} */ event) => {
        setText(event.target.value);
        setFound(undefined);
        setProblem("");
      }}
    />
    <p class="form-error" role="alert">${problem}</p>
    <${FoundList} ...${{ wanted, places: found ?? pages, asked: found !== undefined, close }} />
  </form>`;
}
