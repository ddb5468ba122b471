/** @import { Route } from "./routes.js" */
import { to, within } from "./base.js";
import { findRoute } from "./routes.js";
import { createStore } from "./store.js";

/** How long a page may take to come back to its height before its scroll position is given up. */
const SETTLE_MS = 3000;

/** @returns {Route} */
const here = () => {
  const path = within(location.pathname) ?? location.pathname;
  const none = { view: "not-found", title: "Not found", path, params: {}, query: new URLSearchParams() };
  return findRoute(path, location.search) ?? none;
};

/** The page that is shown. */
export const route = createStore(here());

/**
 * Shows another page. `path` is within the dashboard.
 * @param {string} path
 * @param {{ replace?: boolean, keepScroll?: boolean }} [options]
 */
export function navigate(path, { replace = false, keepScroll = replace } = {}) {
  if (!replace) rememberScroll();
  history[replace ? "replaceState" : "pushState"]({}, "", to(path));
  route.set(here());
  if (!keepScroll) scrollTo(0, 0);
}

/**
 * The same page with other words in its address.
 * @param {Readonly<Record<string, string | undefined>>} changes undefined takes a word out
 * @param {{ replace?: boolean, keepScroll?: boolean }} [options]
 */
export function changeQuery(changes, options = { replace: true }) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) query.delete(name);
    else query.set(name, value);
  }
  const text = String(query);
  navigate(`${route.get().path}${text === "" ? "" : `?${text}`}`, options);
}

/** The scroll position belongs to the entry of the history that is left. */
function rememberScroll() {
  history.replaceState({ ...history.state, scroll: scrollY }, "");
}

/** Comes back to where one was, as soon as the page is long enough. */
function restoreScroll() {
  const wanted = Number(history.state?.scroll ?? 0);
  const until = performance.now() + SETTLE_MS;
  const shown = route.get();
  const step = () => {
    scrollTo(0, wanted);
    if (Math.abs(scrollY - wanted) < 2 || performance.now() > until || route.get() !== shown) return;
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

/** Links within the dashboard change the page in place; everything else is the browser's. @param {MouseEvent} event */
function follow(event) {
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!(link instanceof HTMLAnchorElement) || event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.target || link.hasAttribute("download") || link.origin !== location.origin || link.hash) return;
  const path = within(link.pathname);
  if (path === undefined || !findRoute(path)) return;
  event.preventDefault();
  navigate(path + link.search);
}

export function startRouter() {
  history.scrollRestoration = "manual";
  document.addEventListener("click", follow);
  addEventListener("pagehide", rememberScroll);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let ticking;
  addEventListener("scroll", () => {
    clearTimeout(ticking);
    // A step back changes the entry before anybody can note where the page was.
    ticking = setTimeout(rememberScroll, 120);
  });
  addEventListener("popstate", () => {
    clearTimeout(ticking);
    route.set(here());
    restoreScroll();
  });
  restoreScroll();
}
