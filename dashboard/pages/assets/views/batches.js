/** @import { Batch, Session } from "../../answers.ts" */
/** @import { Resource } from "../core/resource.js" */
/** @import { Route } from "../core/routes.js" */
import { to } from "../core/base.js";
import { STATES } from "../core/batches/progress.js";
import { html } from "../core/html.js";
import { useOverview } from "../core/live.js";
import { useEffect } from "preact/hooks";
import { useResource } from "../core/resource.js";
import { changeQuery } from "../core/router.js";
import { BatchRow } from "../parts/batches/row.js";
import { Card, EmptyState, Failed, Icon, Loading, PageHead } from "../parts/layout.js";
import { LiveBadge } from "../parts/live-badge.js";

/** Rows that move are asked for so often: all of the page, not only those that the overview knows. */
const AGAIN_MS = 1500;

/** @typedef {{ batches: readonly Batch[], next?: string }} Page */

/** @param {{ target: HTMLSelectElement }} event */
const choose = ({ target }) => changeQuery({ state: target.value || undefined, cursor: undefined }, {});

/** All batches, newest first, with their progress. @param {{ route: Route, session: Session }} props */
export function View({ route: { query }, session }) {
  const state = STATES.find((name) => name === query.get("state")) ?? "";
  const cursor = query.get("cursor") ?? "";
  const asked = new URLSearchParams({ ...(state && { state }), ...(cursor && { cursor }) });
  const { overview } = useOverview();
  const path = `/api/batches?${asked}`;
  const moving = (overview?.batches.total ?? 1) > 0;
  /** @type {Resource<Page>} */
  const { data: page, error, reload } = useResource(path, { every: moving ? AGAIN_MS : undefined });
  // One that began or ended changes the list itself.
  const mark = overview ? `${overview.batches.kept} ${overview.batches.total}` : "";
  useEffect(() => {
    if (mark !== "" && page) void reload();
  }, [mark]);
  const start = html`<a class="button primary" href=${to("/batches/new")}><${Icon} name="plus" />Start a batch</a>`;
  const filter = html`<select class="input" aria-label="State" value=${state} onChange=${choose}>
    <option value="">All states</option>
    ${STATES.map((name) => html`<option key=${name} value=${name} selected=${name === state}>${name}</option>`)}
  </select>`;
  return html`<div>
    <${PageHead}
      name="Batches"
      title="Batches"
      actions=${html`<${LiveBadge} />${filter}${session.canOperate && start}`}
    />
    ${!page && (error ? html`<${Failed} error=${error} />` : html`<${Loading} />`)}
    ${page && html`<${Card}><${List} page=${page} state=${state} cursor=${cursor} start=${session.canOperate && start} /><//>`}
  </div>`;
}

/** @param {{ page: Page, state: string, cursor: string, start: unknown }} props */
function List({ page, state, cursor, start }) {
  if (page.batches.length === 0)
    return html`<${EmptyState} icon="batches" title=${state ? `No ${state} batch` : "No batch yet"}>
      <p>
        A batch copies, moves or deletes all objects of a prefix, millions if need be. A dry run counts first and
        changes nothing.
      </p>
      ${start}
    <//>`;
  const older = new URLSearchParams({ ...(state && { state }), ...(page.next && { cursor: page.next }) });
  const newest = state ? `/batches?state=${state}` : "/batches";
  return html`<div>
    <div class="rows">${page.batches.map((batch) => html`<${BatchRow} key=${batch.id} batch=${batch} />`)}</div>
    ${
      (page.next || cursor) &&
      html`<nav class="pager" aria-label="Pages of the list">
        ${cursor ? html`<a href=${to(newest)}>Newest</a>` : html`<span></span>`}
        ${page.next ? html`<a class="button small" href=${to(`/batches?${older}`)}>Older</a>` : html`<span></span>`}
      </nav>`
    }
  </div>`;
}
