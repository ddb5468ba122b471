/** @import { Batch, BatchBucket, ReportRow, Session } from "../../answers.ts" */
/** @import { Resource } from "../core/resource.js" */
/** @import { Route } from "../core/routes.js" */
import { useEffect } from "preact/hooks";
import { post } from "../core/api.js";
import { describeBatch, ENDED } from "../core/batches/progress.js";
import { rate } from "../core/format.js";
import { html } from "../core/html.js";
import { useFollow, useLive } from "../core/live.js";
import { useResource } from "../core/resource.js";
import { BatchErrors, BatchFailures, BatchNotes, BatchOptions } from "../parts/batches/details.js";
import { BatchHead, BatchSpeed, PlanCard } from "../parts/batches/figures.js";
import { BatchSteering } from "../parts/batches/steering.js";
import { PriorityForm, RateForm } from "../parts/batches/terms.js";
import { BatchTimeline } from "../parts/batches/timeline.js";
import { Failed, Loading, PageHead, StateBadge } from "../parts/layout.js";
import { LiveBadge } from "../parts/live-badge.js";
import { ObjectName } from "../parts/names.js";

const CRUMBS = [["Batches", "/batches"]];

/** One batch: how far it is, how fast, what failed, and the buttons to steer it. @param {{ route: Route, session: Session }} props */
export function View({ route: { params }, session }) {
  const id = params["id"] ?? "";
  const path = `/api/batches/${encodeURIComponent(id)}`;
  /** @type {Resource<Batch>} */
  const { data: batch, error, set } = useResource(path);
  useFollow(`?batch=${encodeURIComponent(id)}`);
  useLive("batch", (event) => event.batch.id === id && set(event.batch), [id]);
  const steer = async (/** @type {string} */ verb, /** @type {unknown} */ body) =>
    set(await post(`${path}/${verb}`, body));
  if (!batch)
    return html`<div>
      <${PageHead} name="Batch" title="Batch" crumbs=${CRUMBS} />
      ${error ? html`<${Failed} error=${error} />` : html`<${Loading} />`}
    </div>`;
  const { title, route } = describeBatch(batch);
  const settled = ENDED.includes(batch.state) || !session.canOperate;
  const limit = batch.spec.maxObjectsPerSecond;
  const terms = settled
    ? { priority: batch.priority, limit: limit ? `${rate(limit)} objects/s` : "none" }
    : {
        priority: html`<${PriorityForm} batch=${batch} steer=${steer} />`,
        limit: html`<${RateForm} batch=${batch} steer=${steer} key=${limit} />`,
      };
  const actions = html`<${LiveBadge} /><${StateBadge} state=${batch.state} /><${BatchSteering}
      ...${{ batch, path, steer, canOperate: session.canOperate }}
    />`;
  return html`<div>
    <${PageHead}
      name=${title}
      title=${html`<bdi class="two-lines" title=${title}>${title}</bdi>`}
      crumbs=${CRUMBS}
      actions=${actions}
    />
    <div class="stack">
      <div class="mono muted"><${ObjectName} text=${route} /></div>
      <${BatchNotes} batch=${batch} />
      ${batch.state === "planned" ? html`<${PlanCard} batch=${batch} />` : html`<${AtWork} batch=${batch} path=${path} />`}
      <div class="columns"><${BatchErrors} batch=${batch} /><${BatchOptions} batch=${batch} ...${terms} /></div>
      <${BatchTimeline} batch=${batch} />
      <${Failures} batch=${batch} path=${path} />
    </div>
  </div>`;
}

/** @param {{ batch: Batch, path: string }} props */
function AtWork({ batch, path }) {
  /** @type {Resource<{ buckets: readonly BatchBucket[] }>} */
  const { data } = useResource(`${path}/throughput`);
  return html`<div class="stack">
    <${BatchHead} batch=${batch} />
    ${data && (data.buckets.length > 0 || !batch.endedAt) && html`<${BatchSpeed} batch=${batch} buckets=${data.buckets} />`}
  </div>`;
}

/** They are noted when a chunk is done, which may be later than they are counted. @param {{ batch: Batch, path: string }} props */
function Failures({ batch, path }) {
  /** @type {Resource<{ rows: readonly ReportRow[] }>} */
  const { data, reload } = useResource(`${path}/failures`);
  const mark = `${batch.failed} ${JSON.stringify(batch.errors)}`;
  useEffect(() => void reload(), [mark]);
  return data ? html`<${BatchFailures} rows=${data.rows} />` : null;
}
