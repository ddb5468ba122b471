/** @import { Bulk } from "../../answers.ts" */
/** @import { Resource } from "../core/resource.js" */
/** @import { Route } from "../core/routes.js" */
import { count, duration } from "../core/format.js";
import { html } from "../core/html.js";
import { printable } from "../core/printable.js";
import { useResource } from "../core/resource.js";
import { Alert, Card, Facts, Failed, Loading, PageHead } from "../parts/layout.js";
import { ObjectName, Time } from "../parts/names.js";

const AGAIN_MS = 700;
const CRUMBS = [["Problems", "/problems"]];
const NAMES = { retry: "Retry", cancel: "Cancel", forget: "Forget" };

/** An action on many things: how far it is, and what came of it. @param {{ route: Route }} props */
export function View({ route: { params } }) {
  /** @type {Resource<Bulk>} */
  const { data: run, error } = useResource(`/api/bulk/${encodeURIComponent(params["id"] ?? "")}`, {
    every: (known) => (known && known.state !== "running" ? undefined : AGAIN_MS),
  });
  if (!run)
    return html`<div>
      <${PageHead} name="Action" title="Action" crumbs=${CRUMBS} />
      ${error ? html`<${Failed} error=${error} />` : html`<${Loading} />`}
    </div>`;
  const title = `${NAMES[run.action]} ${count(run.total)}: ${printable(run.title)}`;
  return html`<div>
    <${PageHead} name=${title} title=${html`<bdi>${title}</bdi>`} crumbs=${CRUMBS} />
    <div class="stack"><${Progress} run=${run} /><${Refused} run=${run} /></div>
  </div>`;
}

/** @param {{ run: Bulk }} props */
function Progress({ run }) {
  const { total, done, refused, state, by, reason, startedAt, endedAt } = run;
  const share = total === 0 ? 100 : Math.floor((100 * (done + refused)) / total);
  const text = `${share}% of ${count(total)}`;
  const said = {
    running: "",
    done: "Done.",
    stopped: "The dashboard was stopped before its end.",
    failed: "It ended before its end.",
  };
  return html`<${Card}>
    <div class="card-body stack">
      <div class="progress-line"><strong>${share}%</strong><span class="muted">${said[state]}</span></div>
      <div
        class="bar big"
        role="progressbar"
        aria-valuemin="0"
        aria-valuemax="100"
        aria-valuenow=${share}
        aria-label=${text}
      >
        <div class="bar-fill succeeded" style=${{ width: `${(100 * done) / Math.max(1, total)}%` }}></div>
        <div class="bar-fill failed" style=${{ width: `${(100 * refused) / Math.max(1, total)}%` }}></div>
      </div>
      <${Facts}
        rows=${[
          ["Done", count(done)],
          ["Could not be acted upon", count(refused)],
          ["By", printable(by)],
          reason && ["Why", printable(reason)],
          ["Began", html`<${Time} at=${startedAt} />`],
          endedAt && ["Took", duration(Date.parse(endedAt) - Date.parse(startedAt))],
        ]}
      />
    </div>
  <//>`;
}

/** @param {{ run: Bulk }} props */
function Refused({ run: { refusals, refused } }) {
  if (refused === 0) return null;
  return html`<${Card}
    title="Could not be acted upon"
    note=${`the first ${count(refusals.length)} of ${count(refused)}`}
  >
    <div class="card-body stack">
      ${refusals.map(({ id, why }) => html`<${Alert} key=${id} title=${html`<${ObjectName} text=${id} />`}><p>${printable(why)}</p><//>`)}
    </div>
  <//>`;
}
