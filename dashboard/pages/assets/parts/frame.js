/** @import { ComponentChildren } from "preact" */
/** @import { Session } from "../../answers.ts" */
/** @import { Route } from "../core/routes.js" */
import { remove } from "../core/api.js";
import { asset, to } from "../core/base.js";
import { count, timeOfDay, zone } from "../core/format.js";
import { ask } from "../core/dialogs.js";
import { html } from "../core/html.js";
import { panel } from "../core/keyboard.js";
import { live, overview } from "../core/live.js";
import { useStore } from "../core/store.js";
import { changeTheme, theme } from "../core/theme-choice.js";
import { Icon } from "./layout.js";

/** `less` are found at the foot of the page where room is short. `below` are sections that belong to it without a place of their own. @type {readonly { path: string, icon: string, label: string, below?: string, less?: boolean }[]} */
const NAVIGATION = [
  { path: "/", icon: "overview", label: "Overview" },
  { path: "/problems", icon: "warning", label: "Problems", below: "/bulk" },
  { path: "/batches", icon: "batches", label: "Batches" },
  { path: "/jobs", icon: "jobs", label: "Jobs", below: "/quarantine" },
  { path: "/workers", icon: "workers", label: "Workers" },
  { path: "/schedules", icon: "clock", label: "Schedules", less: true },
  { path: "/profiles", icon: "key", label: "Profiles", less: true },
  { path: "/documents", icon: "download", label: "Documents", less: true },
  { path: "/audit", icon: "audit", label: "Audit", less: true },
  { path: "/docs", icon: "docs", label: "API", less: true },
];
const THEME_ICONS = { auto: "auto", light: "sun", dark: "moon" };

/** @param {{ route: Route }} props */
function Navigation({ route }) {
  const section = `/${route.path.split("/")[1]}`;
  const known = useStore(overview);
  /** @type {Readonly<Record<string, readonly [number: number, of: string]>>} */
  const counts = { "/jobs": [known?.quarantined ?? 0, "in quarantine"], "/problems": [known?.problems ?? 0, "open"] };
  return html`<nav class="nav" aria-label="Pages">
    ${NAVIGATION.map(({ path, icon, label, below, less }) => {
      const [counted = 0, of = ""] = counts[path] ?? [];
      return html`<a
        key=${path}
        class=${less ? "less" : ""}
        href=${to(path)}
        aria-current=${section === path || section === below ? "page" : undefined}
      >
        <${Icon} name=${icon} /><span>${label}</span>
        ${counted > 0 && html`<span class="count" title=${`${count(counted)} ${of}`}>${count(counted)}<span class="sr"> ${of}</span></span>`}
      </a>`;
    })}
  </nav>`;
}

async function signOut() {
  await remove("/api/session");
  location.assign(to("/login"));
}

async function signOutEverywhere() {
  const text = "Every browser that you are signed in with has to sign in again.";
  const { yes } = await ask({ title: "Sign out everywhere?", text, action: "Sign out everywhere" });
  if (!yes) return;
  await remove("/api/session?everywhere=true");
  location.assign(to("/login"));
}

/** @param {{ session: Session }} props */
function Foot({ session }) {
  const chosen = useStore(theme);
  const label = `Theme: ${chosen === "auto" ? "as the system" : chosen}. Change it`;
  const role = session.readOnly ? "read-only" : (session.role ?? "");
  return html`<div class="side-foot">
    <div class="who"><strong>${session.name ?? ""}</strong>${role}</div>
    <div class="side-tools">
      <${ToolButton} icon="search" label="Find (Ctrl K)" onClick=${() => panel.set("search")} />
      <${ToolButton} icon=${THEME_ICONS[chosen]} label=${label} onClick=${changeTheme} />
      ${session.canSignOut && html`<${ToolButton} icon="sign-out" label="Sign out" onClick=${() => void signOut()} /><${ToolButton} icon="sign-out" label="Sign out everywhere" onClick=${() => void signOutEverywhere()} />`}
    </div>
  </div>`;
}

/** @param {{ icon: string, label: string, onClick: () => void }} props */
const ToolButton = ({ icon, label, onClick }) =>
  html`<button class="icon-button" type="button" aria-label=${label} title=${label} onClick=${onClick}>
    <${Icon} name=${icon} />
  </button>`;

/** Said only when the connection is lost, and from when the figures are. */
function Connection() {
  const state = useStore(live.state);
  const at = useStore(overview)?.at;
  if (state !== "lost" && state !== "trouble")
    return html`<div class="connection" role="status" aria-live="polite" hidden></div>`;
  const since = at ? ` Figures are from ${timeOfDay(at)}.` : "";
  const text =
    state === "trouble" ? `Redis does not answer.${since} Trying again…` : `Connection lost.${since} Reconnecting…`;
  return html`<div class="connection" role="status" aria-live="polite">${text}</div>`;
}

/** What every page has around it. @param {{ route: Route, session: Session, busy: boolean, children?: ComponentChildren }} props */
export const Frame = ({ route, session, busy, children }) =>
  html`<div class="frame">
    <header class="side">
      <a class="brand" href=${to("/")} aria-label="Bucketline, overview"
        ><img src=${asset("logo.svg")} alt="" width="28" height="28" /><span>Bucketline</span></a
      >
      ${session.environment && html`<span class="environment" title="Environment">${session.environment}</span>`}
      <${Navigation} route=${route} />
      <${Foot} session=${session} />
    </header>
    <div class="page">
      <main class="main" id="main" tabindex="-1" aria-busy=${String(busy)}>${children}</main>
      <footer class="foot">
        <span>Times are ${zone()}${zone() === "UTC" ? "." : "; hover one for UTC."}</span>
        <span
          >${NAVIGATION.filter(({ less }) => less).map(({ path, label }) => html`<span key=${path} class="only-short"><a href=${to(path)}>${label}</a> · </span>`)}<a
            href=${to("/about")}
            >About</a
          >${" · "} <button type="button" class="link" onClick=${() => panel.set("keys")}>Keys</button></span
        >
      </footer>
    </div>
    <${Connection} />
  </div>`;
