/** @import { Overview, Session } from "../../answers.ts" */
import { useEffect, useState } from "preact/hooks";
import { get, goToLogin } from "./api.js";
import { to } from "./base.js";
import { learnTime } from "./clock.js";
import { createLiveStream } from "./live-stream.js";
import { createStore, useStore } from "./store.js";

export const live = createLiveStream({
  open: (query) => new EventSource(to(`/api/events${query}`)),
  signedIn: async () => {
    const session = /** @type {Session} */ (await get("/api/session"));
    return session.signedIn;
  },
  leave: goToLogin,
  events: ["overview", "overview-changes", "throughput", "batch", "tick"],
});

/** The newest overview that is known, whichever page is shown. */
export const overview = createStore(/** @type {Overview | undefined} */ (undefined));

/** @param {Overview} newest */
function show(newest) {
  learnTime(newest.at);
  overview.set(newest);
}

/** Begins to listen, for as long as the tab is in sight. */
export function startLive() {
  live.listen("overview", show);
  live.listen("overview-changes", (/** @type {Partial<Overview>} */ changes) => {
    const known = overview.get();
    if (known) show({ ...known, ...changes });
  });
  setInterval(live.check, 1000);
  addEventListener("online", live.retryNow);
  addEventListener("pagehide", live.close);
  const look = () => (document.hidden ? live.rest() : live.wake());
  document.addEventListener("visibilitychange", look);
  if (document.hidden) live.rest();
  else live.follow("");
}

/** The overview, live. It is asked for once where nothing is known yet. */
export function useOverview() {
  const known = useStore(overview);
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  const state = useStore(live.state);
  useEffect(() => {
    if (known !== undefined) return;
    get("/api/overview").then(
      (first) => overview.get() ?? show(first),
      (problem) => setError(problem),
    );
  }, [known === undefined, state === "live"]);
  return { overview: known, error: known === undefined ? error : undefined };
}

/**
 * Calls back with each event of a name while the component is shown.
 * @param {string} name
 * @param {(data: any) => void} listener
 * @param {readonly unknown[]} inputs what the listener depends on
 */
export function useLive(name, listener, inputs) {
  useEffect(() => live.listen(name, listener), [name, ...inputs]);
}

/**
 * What the stream carries beside the overview, while the component is shown.
 * @param {string} query
 */
export function useFollow(query) {
  useEffect(() => {
    live.follow(query);
    return () => live.follow("");
  }, [query]);
}
