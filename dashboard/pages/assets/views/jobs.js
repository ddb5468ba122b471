/** @import { JobRow, Overview, Session } from "../../answers.ts" */
/** @import { Resource } from "../core/resource.js" */
/** @import { Route } from "../core/routes.js" */
import { useEffect, useRef } from "preact/hooks";
import { to } from "../core/base.js";
import { count, shortCount } from "../core/format.js";
import { html } from "../core/html.js";
import { useFollow, useOverview } from "../core/live.js";
import { useResource } from "../core/resource.js";
import { navigate } from "../core/router.js";
import { CHUNKS } from "../parts/activities-table.js";
import { JobsTable } from "../parts/jobs-table.js";
import { Card, EmptyState, Failed, Loading, PageHead } from "../parts/layout.js";
import { LiveBadge } from "../parts/live-badge.js";
import { QueueHold, QueueSteering } from "../parts/queue-state.js";
import { RangePicker, ThroughputCharts } from "../parts/throughput-charts.js";

const STATES = /** @type {const} */ (["waiting", "active", "delayed", "failed", "completed"]);
/** @typedef {typeof STATES[number]} State */
/** @typedef {{ activity: string, state: State, page: number }} Place */
/** @typedef {{ total: number, jobs: readonly JobRow[] }} Page */

const PAGE = 25;
/** How soon a list may be asked for again at most. */
const AGAIN_MS = 1000;
const EMPTY = {
  waiting: "Nothing waits: workers keep up, or nobody asks.",
  active: "No worker works on one just now.",
  delayed: "Nothing waits for its time or for another attempt.",
  failed: "Nothing failed in the last week.",
  completed: "Nothing completed in the last day.",
};

/** @param {Place} place */
const address = ({ activity, state, page }) => `/jobs/${activity}?state=${state}${page > 1 ? `&page=${page}` : ""}`;

/** The jobs of one activity. @param {{ route: Route, session: Session }} props */
export function View({ route: { params, query }, session }) {
  const activity = params["activity"] ?? "";
  const { overview, error } = useOverview();
  const state = STATES.find((name) => name === query.get("state")) ?? "failed";
  const page = Math.max(1, Number.parseInt(query.get("page") ?? "1", 10) || 1);
  const queue = overview?.queues.find(({ name }) => name === activity);
  useFollow(activity === CHUNKS || !queue ? "" : `?activity=${activity}`);
  const crumbs = [["Jobs", "/jobs"]];
  if (overview && !queue)
    return html`<div>
      <${PageHead} name="Not found" title="Not found" crumbs=${crumbs} />
      <${Card}
        ><${EmptyState} icon="search" title="There is no such activity"><p class="break">${activity}</p><//><//
      >
    </div>`;
  const choose = (/** @type {any} */ event) => navigate(address({ activity: event.target.value, state, page: 1 }));
  const chooser = html`<select class="input" aria-label="Activity" value=${activity} onChange=${choose}>
    ${overview?.queues.map(({ name }) => html`<option key=${name} value=${name} selected=${name === activity}>${name}</option>`)}
  </select>`;
  return html`<div>
    <${PageHead}
      name=${activity}
      title=${activity}
      crumbs=${crumbs}
      actions=${html`<${LiveBadge} />${overview && chooser}${session.canOperate && queue && html`<${QueueSteering} queue=${queue} />`}`}
    />
    ${error && html`<${Failed} error=${error} />`}
    <div class="stack">
      ${overview && queue && html`<${QueueHold} queue=${queue} overview=${overview} />`}
      ${
        activity !== CHUNKS &&
        html`<div class="stack after-on-phone">
          <div><${RangePicker} /></div>
          <${ThroughputCharts} key=${activity} activity=${activity} />
        </div>`
      }
      <${JobsCard} place=${{ activity, state, page }} queue=${queue} />
    </div>
  </div>`;
}

/** Asks for the list again where its figures moved, at most once a second. @param {string} path @param {string} mark @param {() => Promise<void>} reload */
function useReloadOn(path, mark, reload) {
  const at = useRef(performance.now());
  const seen = useRef({ path, mark: "" });
  useEffect(() => {
    // The first figures that are known of a list are those that it was asked for with.
    const known = seen.current.path === path && seen.current.mark !== "";
    seen.current = { path, mark };
    if (!known) return undefined;
    const wait = Math.max(0, at.current + AGAIN_MS - performance.now());
    const timer = setTimeout(() => {
      at.current = performance.now();
      void reload();
    }, wait);
    return () => clearTimeout(timer);
  }, [path, mark]);
}

/** @param {{ place: Place, queue: Overview["queues"][number] | undefined }} props */
function JobsCard({ place, queue }) {
  const { activity, state, page } = place;
  const path = `/api/jobs/${activity}?state=${state}&offset=${(page - 1) * PAGE}&limit=${PAGE}`;
  /** @type {Resource<Page>} */
  const { data, error, reload } = useResource(path);
  // How long jobs take says nothing of which ones run: active lists follow what ended, too.
  const moving =
    state === "active" || state === "completed"
      ? `${queue?.completed} ${queue?.failed} ${queue?.completedPerSecond}`
      : "";
  useReloadOn(path, queue ? `${queue[state]} ${moving}` : "", reload);
  const last = Math.max(1, Math.ceil((data?.total ?? 0) / PAGE));
  const beyond = data !== undefined && page > last;
  useEffect(() => {
    if (beyond) navigate(address({ ...place, page: last }), { replace: true });
  }, [beyond]);
  return html`<${Card}>
    <div class="card-head">
      <nav class="segments" aria-label="State">
        ${STATES.map(
          (name) =>
            html`<a
              key=${name}
              href=${to(address({ activity, state: name, page: 1 }))}
              aria-current=${name === state ? "true" : undefined}
              >${name}<span class="n">${queue ? shortCount(queue[name]) : ""}</span></a
            >`,
        )}
      </nav>
    </div>
    ${
      data === undefined
        ? error
          ? html`<${Failed} error=${error} />`
          : html`<${Loading} />`
        : data.jobs.length === 0
          ? html`<${EmptyState} icon="jobs" title=${`No ${state} jobs`}><p>${EMPTY[state]}</p><//>`
          : html`<${JobsTable} jobs=${data.jobs} activity=${activity} state=${state} />`
    }
    ${data && data.total > 0 && !beyond && html`<${Pager} place=${place} total=${data.total} last=${last} />`}
  <//>`;
}

/** @param {{ place: Place, total: number, last: number }} props */
function Pager({ place, total, last }) {
  const { page } = place;
  const link = (/** @type {string} */ label, /** @type {number} */ target) =>
    target >= 1 && target <= last
      ? html`<a class="button small" href=${to(address({ ...place, page: target }))}>${label}</a>`
      : html`<span class="button small" aria-disabled="true">${label}</span>`;
  return html`<nav class="pager" aria-label="Pages of the list">
    <span class="muted"
      >${count((page - 1) * PAGE + 1)} – ${count(Math.min(total, page * PAGE))} of ${count(total)}</span
    >
    <span class="chips"
      >${link("Previous", page - 1)}<span class="muted pages">page ${count(page)} of ${count(last)}</span
      >${link("Next", page + 1)}</span
    >
  </nav>`;
}
