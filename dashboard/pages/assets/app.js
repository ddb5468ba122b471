import { get, remove } from "./api.js";
import { repaintCharts } from "./chart.js";
import { emptyState, h, icon, pageHead, setText } from "./dom.js";
import { timeOfDay } from "./format.js";
import { follow, listen, watchState } from "./live.js";

const PAGES = [
  ["/", "overview"],
  ["/batches", "batches"],
  ["/batches/new", "batch-form"],
  ["/batches/:id", "batch"],
  ["/jobs", "jobs"],
  ["/jobs/:activity", "jobs"],
  ["/jobs/:activity/:id", "job"],
  ["/quarantine", "quarantine"],
  ["/workers", "workers"],
  ["/docs", "docs"],
];
const NAVIGATION = [
  ["/", "overview", "Overview"],
  ["/batches", "batches", "Batches"],
  ["/jobs", "jobs", "Jobs"],
  ["/workers", "workers", "Workers"],
  ["/docs", "docs", "API"],
];

const main = document.getElementById("main");
let leave = new AbortController();
let session;

/** The view and its parameters that belong to a path. */
function find(path) {
  for (const [pattern, view] of PAGES) {
    const names = [];
    const source = pattern.replace(/:(\w+)/g, (_all, name) => {
      names.push(name);
      return "([^/]+)";
    });
    const match = new RegExp(`^${source}/?$`).exec(path);
    if (!match) continue;
    return { view, params: Object.fromEntries(names.map((name, index) => [name, decode(match[index + 1])])) };
  }
  return undefined;
}

function decode(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // an address typed by hand
  }
}

async function show({ focus = true } = {}) {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  markNavigation();
  const found = find(location.pathname);
  if (!found) {
    main.replaceChildren(
      pageHead("Not found"),
      emptyState("search", "There is no such page", h("a", { href: "/" }, "Go to the overview")),
    );
    return;
  }
  try {
    const { show: showView } = await import(`./views/${found.view}.js`);
    if (signal.aborted) return;
    follow("");
    await showView(main, {
      params: found.params,
      query: new URLSearchParams(location.search),
      session,
      signal,
      navigate,
    });
    if (focus && !signal.aborted) main.focus({ preventScroll: true });
  } catch (error) {
    if (signal.aborted) return;
    main.replaceChildren(
      pageHead("That did not work"),
      emptyState(
        "quarantine",
        error.problem?.title ?? "The page could not be shown",
        h("p", { class: "break" }, error.message),
        h("a", { href: location.href }, "Try again"),
      ),
    );
  }
}

export function navigate(path, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"]({}, "", path);
  if (!replace) scrollTo(0, 0);
  return show();
}

/** Links within the dashboard change the page in place; everything else is the browser's. */
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (
    !link ||
    event.defaultPrevented ||
    event.button !== 0 ||
    event.metaKey ||
    event.ctrlKey ||
    event.shiftKey ||
    event.altKey
  )
    return;
  if (link.target || link.hasAttribute("download") || link.origin !== location.origin || link.hash) return;
  if (!find(link.pathname)) return;
  event.preventDefault();
  void navigate(link.pathname + link.search);
});
addEventListener("popstate", () => void show());

const quarantineCount = h("span", { class: "count" });

function drawFrame() {
  const nav = document.getElementById("nav");
  nav.replaceChildren(...NAVIGATION.map(([href, name, label]) => h("a", { href }, icon(name), h("span", {}, label))));
  const who = document.getElementById("who");
  const role = session.readOnly ? "read-only" : session.role;
  who.replaceChildren(h("strong", {}, session.name ?? ""), role ?? "");
  const out = document.getElementById("sign-out");
  out.hidden = !session.canSignOut;
  out.replaceChildren(icon("sign-out"));
  out.setAttribute("aria-label", "Sign out");
  out.title = "Sign out";
  out.addEventListener("click", () => void signOut());
}

async function signOut() {
  await remove("/api/session");
  location.assign("/login");
}

function markNavigation() {
  const section = `/${location.pathname.split("/")[1]}`;
  for (const link of document.querySelectorAll("#nav a")) {
    const own = link.getAttribute("href");
    if (own === section || (own === "/jobs" && section === "/quarantine")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/* The theme: the system's, until somebody chooses. */
const THEMES = ["auto", "light", "dark"];
const ICONS = { auto: "auto", light: "sun", dark: "moon" };
const themeButton = document.getElementById("theme");

function drawTheme() {
  const theme = document.documentElement.dataset.theme ?? "auto";
  themeButton.replaceChildren(icon(ICONS[theme]));
  const label = `Theme: ${theme === "auto" ? "as the system" : theme}. Change it`;
  themeButton.setAttribute("aria-label", label);
  themeButton.title = label;
}

themeButton.addEventListener("click", () => {
  const now = document.documentElement.dataset.theme ?? "auto";
  const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
  if (next === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem("bucketline-theme", next);
  } catch {
    // Storage is off: the choice holds for this page.
  }
  drawTheme();
  repaintCharts();
});

/* The connection: said only when it is lost, and from when the figures are. */
const connection = document.getElementById("connection");
let lastAt;
listen("overview", ({ at, quarantined }) => {
  lastAt = at;
  setText(quarantineCount, quarantined > 0 ? quarantined : "");
});
watchState((state) => {
  connection.hidden = state === "live" || state === "connecting";
  document.documentElement.dataset.connection = state;
  if (connection.hidden) return;
  const since = lastAt ? ` Figures are from ${timeOfDay(lastAt)}.` : "";
  setText(
    connection,
    state === "trouble" ? `Redis does not answer.${since} Trying again…` : `Connection lost.${since} Reconnecting…`,
  );
});

session = await get("/api/session");
drawFrame();
drawTheme();
await show({ focus: false });
