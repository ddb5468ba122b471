/** @import { FoundJob, Session } from "../../answers.ts" */
/** @import { Route } from "../core/routes.js" */
import { to } from "../core/base.js";
import { messageOf } from "../core/dialogs.js";
import { count } from "../core/format.js";
import { html } from "../core/html.js";
import { useOverview } from "../core/live.js";
import { printable } from "../core/printable.js";
import { changeQuery } from "../core/router.js";
import { searchOf, SORT_NAMES, sorted, useSearch } from "../core/search.js";
import { CHUNKS } from "../parts/activities-table.js";
import { BatchRow } from "../parts/batches/row.js";
import { Card, EmptyState, PageHead, StateBadge } from "../parts/layout.js";
import { ObjectName, Time } from "../parts/names.js";
import { GroupActions } from "../parts/problems/group-actions.js";
import { SearchForm } from "../parts/problems/search-form.js";

/** @typedef {ReturnType<typeof useSearch>} Found */

/** Jobs and batches by what they are about; what is asked for is in the address. @param {{ route: Route, session: Session }} props */
export function View({ route: { query }, session }) {
  const words = searchOf(query);
  const found = useSearch(words);
  const sort = query.get("sort") ?? "newest";
  const { overview } = useOverview();
  const activities = overview?.queues.map(({ name }) => name).filter((name) => name !== CHUNKS) ?? [];
  return html`<div>
    <${PageHead} name="Search" title="Search" />
    <div class="stack">
      <${SearchForm} query=${query} activities=${activities} />
      ${words && html`<${Results} found=${found} words=${words} sort=${sort} canOperate=${session.canOperate} />`}
    </div>
  </div>`;
}

/** @param {{ found: Found, words: Record<string, string>, sort: string, canOperate: boolean }} props */
function Results({ found, words, sort, canOperate }) {
  const { jobs, batches, looked, ended, error } = found;
  const some = jobs.length + batches.length;
  return html`<div class="stack">
    <p class="muted" role="status">
      ${ended ? "" : "Looking… "}${count(jobs.length)} ${jobs.length === 1 ? "job" : "jobs"}, ${count(batches.length)}
      ${batches.length === 1 ? " batch" : " batches"} found among ${count(looked)} jobs${ended ? "." : " so far."}
      ${error ? ` ${messageOf(error)}` : ""}
    </p>
    ${batches.length > 0 && html`<${Card} title="Batches"><div class="rows">${batches.map((batch) => html`<${BatchRow} key=${batch.id} batch=${batch} />`)}</div><//>`}
    ${jobs.length > 0 && html`<${JobsFound} ...${{ jobs, words, sort, canOperate }} />`}
    ${
      ended &&
      some === 0 &&
      html`<${Card}>
        <${EmptyState} icon="search" title="Nothing was found">
          <p>
            Finished jobs are kept for a day, failed ones for a week. Keys are found by any part of them, ids by their
            beginning.
          </p>
        <//>
      <//>`
    }
  </div>`;
}

/** @param {any} event */
const choose = (event) => changeQuery({ sort: event.target.value });

/** @param {{ jobs: readonly FoundJob[], words: Record<string, string>, sort: string, canOperate: boolean }} props */
function JobsFound({ jobs, words, sort, canOperate }) {
  const states = new Set(jobs.map(({ state }) => state));
  const failed = states.has("failed");
  const waiting = states.has("waiting") || states.has("delayed") || states.has("active");
  const actions = [...(failed ? ["retry"] : []), ...(waiting ? ["cancel"] : []), ...(failed ? ["forget"] : [])];
  const tools = html`<select class="input" aria-label="Order" value=${sort} onChange=${choose}>
      ${SORT_NAMES.map((name) => html`<option key=${name} value=${name} selected=${name === sort}>by ${name}</option>`)}</select
    >${canOperate && html`<${GroupActions} select=${{ filter: words }} actions=${actions} of="jobs" />`}`;
  return html`<${Card} title="Jobs" actions=${tools}>
    <div class="table-wrap">
      <table class="table jobs">
        <thead>
          <tr>
            <th scope="col">Object</th>
            <th scope="col" class="optional">Activity</th>
            <th scope="col">State</th>
            <th scope="col" class="right optional">Attempts</th>
            <th scope="col" class="right optional">When</th>
          </tr>
        </thead>
        <tbody>
          ${sorted(jobs, sort).map((job) => html`<${Row} key=${`${job.activity}/${job.id}`} job=${job} />`)}
        </tbody>
      </table>
    </div>
  <//>`;
}

/** @param {{ job: FoundJob }} props */
function Row({ job }) {
  const { activity, id, source, state, error, attempts, finishedAt, startedAt, createdAt } = job;
  return html`<tr>
    <td class="key mono">
      <${ObjectName} text=${source ?? id} href=${to(`/jobs/${activity}/${encodeURIComponent(id)}`)} />
    </td>
    <td class="nowrap optional">${activity}</td>
    <td>
      <${StateBadge} state=${state} />${error && html`<div class="is-danger-text break">${printable(error.code)}</div>`}
    </td>
    <td class="right optional">${attempts}</td>
    <td class="right nowrap optional"><${Time} at=${finishedAt ?? startedAt ?? createdAt} /></td>
  </tr>`;
}
