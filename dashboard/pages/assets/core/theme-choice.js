import { createStore } from "./store.js";

/** The system's, until somebody chooses. */
const THEMES = /** @type {const} */ (["auto", "light", "dark"]);

/** @returns {"auto" | "light" | "dark"} */
const chosen = () => THEMES.find((name) => name === document.documentElement.dataset["theme"]) ?? "auto";

export const theme = createStore(chosen());

/** Goes on to the next theme; the choice stays. */
export function changeTheme() {
  const next = THEMES[(THEMES.indexOf(theme.get()) + 1) % THEMES.length] ?? "auto";
  if (next === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = next;
  try {
    localStorage.setItem("bucketline-theme", next);
  } catch {
    // Storage is off: the choice holds for this page.
  }
  theme.set(next);
}
