import { createStore } from "./store.js";
import { navigate } from "./router.js";

/** Letters after `g`, and the page that each leads to. */
export const GO_TO = /** @type {const} */ ([
  ["o", "/", "Overview"],
  ["p", "/problems", "Problems"],
  ["b", "/batches", "Batches"],
  ["j", "/jobs", "Jobs"],
  ["s", "/search", "Search"],
  ["c", "/schedules", "Schedules"],
  ["f", "/profiles", "Profiles"],
  ["d", "/documents", "Documents"],
  ["w", "/workers", "Workers"],
  ["h", "/audit", "Audit"],
  ["q", "/quarantine", "Quarantine"],
  ["n", "/batches/new", "Start a batch"],
  ["a", "/about", "About"],
]);

/** Which help is open over the page. @type {import("./store.js").Store<"" | "keys" | "search">} */
export const panel = createStore("");

/** How long after `g` the second letter counts. */
const CHORD_MS = 1500;

/** @param {EventTarget | null} target */
const isTyping = (target) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName));

export function startKeyboard() {
  let chordUntil = 0;
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      panel.set("search");
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    if (performance.now() < chordUntil) {
      chordUntil = 0;
      const target = GO_TO.find(([letter]) => letter === event.key);
      if (target) {
        event.preventDefault();
        navigate(target[1]);
        return;
      }
    }
    if (event.key === "g") chordUntil = performance.now() + CHORD_MS;
    else if (event.key === "?") panel.set("keys");
    else if (event.key === "/") panel.set("search");
    else return;
    event.preventDefault();
  });
}
