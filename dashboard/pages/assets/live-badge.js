import { h, setText } from "./dom.js";
import { watchState } from "./live.js";

const WORDS = { connecting: "Connecting", live: "Live", lost: "Offline", trouble: "Offline" };

/** A dot that says whether the figures are of now. */
export function liveBadge(signal) {
  const element = h("span", { class: "live" });
  watchState((state) => {
    element.dataset.state = state === "trouble" ? "lost" : state;
    setText(element, WORDS[state]);
  }, signal);
  return element;
}
