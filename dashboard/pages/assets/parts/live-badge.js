import { html } from "../core/html.js";
import { live } from "../core/live.js";
import { useStore } from "../core/store.js";

const WORDS = { connecting: "Connecting", live: "Live", lost: "Offline", trouble: "Offline", resting: "Resting" };

/** A dot that says whether the figures are of now. */
export function LiveBadge() {
  const state = useStore(live.state);
  return html`<span class="live" data-state=${state === "trouble" ? "lost" : state}>${WORDS[state]}</span>`;
}
