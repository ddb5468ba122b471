/** @import { Overview } from "../../answers.ts" */
import { to } from "../core/base.js";
import { bytes, count, duration, rate, shortCount } from "../core/format.js";
import { html } from "../core/html.js";
import { useOverview } from "../core/live.js";
import { ActivitiesTable, CHUNKS } from "../parts/activities-table.js";
import { BatchRow } from "../parts/batches/row.js";
import { Alert, Card, EmptyState, Failed, Loading, PageHead } from "../parts/layout.js";
import { LiveBadge } from "../parts/live-badge.js";
import { Ago } from "../parts/names.js";
import { RangePicker, ThroughputCharts } from "../parts/throughput-charts.js";
import { Tile } from "../parts/tile.js";

/** Everything at a glance. */
export function View() {
  const { overview, error } = useOverview();
  const actions = html`<${LiveBadge} /><${RangePicker} />`;
  return html`<div>
    <${PageHead} name="Overview" title="Overview" actions=${actions} />
    ${overview ? html`<${Glance} overview=${overview} />` : error ? html`<${Failed} error=${error} />` : html`<${Loading} />`}
  </div>`;
}

/** @param {{ overview: Overview }} props */
const Glance = ({ overview }) =>
  html`<div class="stack">
    <${Alerts} overview=${overview} />
    <${Tiles} overview=${overview} />
    <${ThroughputCharts} />
    <${BatchesAtWork} batches=${overview.batches} />
    <${Card} title="Activities" actions=${html`<a href=${to("/jobs")}>All of them</a>`}
      ><${ActivitiesTable} queues=${overview.queues}
    /><//>
    <${WorkersCard} workers=${overview.workers} />
  </div>`;

/** What needs somebody, each with where to look. @param {{ overview: Overview }} props */
function Alerts({ overview: { warnings, quarantined, queues } }) {
  const paused = queues.filter((queue) => queue.paused).map(({ name }) => name);
  return html`<div class="alerts" role="status">
    ${warnings.map(({ code, severity, message, remedy }) => html`<${Alert} key=${code + message} severity=${severity} title=${message}><p>${remedy}</p><//>`)}
    ${
      quarantined > 0 &&
      html`<${Alert}
        key="quarantine"
        title=${`${count(quarantined)} ${quarantined === 1 ? "job is" : "jobs are"} in quarantine.`}
      >
        <p>A program wrote what is not JSON into Redis. <a href=${to("/quarantine")}>See what was found</a></p>
      <//>`
    }
    ${paused.length > 0 && html`<${Alert} key="paused" title=${`Paused: ${paused.join(", ")}.`}><p>No worker takes jobs from there until the queue is resumed.</p><//>`}
  </div>`;
}

/** @param {Overview["workers"][number]} worker */
const slotsOf = ({ concurrency }) => Object.values(concurrency).reduce((sum, slots) => sum + slots, 0);

/** @param {{ overview: Overview }} props */
function Tiles({ overview: { queues, workers, problems } }) {
  const activities = queues.filter(({ name }) => name !== CHUNKS);
  const sum = (/** @type {"waiting" | "delayed" | "failed" | "completedPerSecond" | "failedPerSecond"} */ field) =>
    activities.reduce((total, queue) => total + queue[field], 0);
  // Chunks of batches take slots as jobs do, here as in the table of workers.
  const active = queues.reduce((total, queue) => total + queue.active, 0);
  const slots = workers.reduce((total, worker) => total + slotsOf(worker), 0);
  const oldest = Math.max(0, ...activities.map(({ oldestWaitingMs }) => oldestWaitingMs ?? 0));
  const memory = workers.reduce((total, worker) => total + worker.memory, 0);
  return html`<dl class="tiles">
    <${Tile}
      name="Jobs per second"
      value=${rate(sum("completedPerSecond"))}
      sub=${`${rate(sum("failedPerSecond"))} failing`}
    />
    <${Tile} name="Running" value=${shortCount(active)} sub=${`of ${shortCount(slots)} slots`} />
    <${Tile}
      name="Waiting"
      value=${shortCount(sum("waiting"))}
      sub=${oldest > 0 ? `oldest ${duration(oldest)}` : `${shortCount(sum("delayed"))} delayed`}
    />
    <${Tile}
      name="Problems"
      value=${shortCount(problems)}
      sub=${problems === 0 ? "nothing needs you" : "open: see them"}
      danger=${problems > 0}
      href="/problems"
    />
    <${Tile}
      name="Failed"
      value=${shortCount(sum("failed"))}
      sub="in the last week"
      danger=${sum("failed") > 0}
      href="/search?state=failed"
    />
    <${Tile}
      name="Workers"
      value=${count(workers.length)}
      sub=${workers.length === 0 ? "none is alive" : bytes(memory)}
      danger=${workers.length === 0}
      href="/workers"
    />
  </dl>`;
}

/** @param {{ batches: Overview["batches"] }} props */
function BatchesAtWork({ batches: { batches, total } }) {
  if (total === 0 && batches.length === 0) return null;
  const hidden = total - batches.length;
  const note =
    hidden > 0 ? `${count(batches.length)} of ${count(total)}: those that stand still, then the newest` : count(total);
  return html`<${Card}
    title="Batches at work"
    note=${note}
    actions=${html`<a href=${to("/batches")}>${hidden > 0 ? `All ${count(total)}` : "All batches"}</a>`}
  >
    <div class="rows">${batches.map((batch) => html`<${BatchRow} key=${batch.id} batch=${batch} />`)}</div>
  <//>`;
}

/** @param {{ workers: Overview["workers"] }} props */
function WorkersCard({ workers }) {
  const actions = html`<a href=${to("/workers")}>Workers</a>`;
  if (workers.length === 0)
    return html`<${Card} title="Workers" actions=${actions}>
      <${EmptyState} icon="workers" title="No worker is alive">
        <p>Jobs wait in Redis until one comes. Start one beside the same Redis:</p>
        <pre class="code" tabindex="0">npx bucketline worker</pre>
      <//>
    <//>`;
  return html`<${Card} title="Workers" actions=${actions}>
    <div class="table-wrap">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Host · process</th>
            <th scope="col" class="right">Running</th>
            <th scope="col" class="right">Memory</th>
            <th scope="col" class="right optional">Started</th>
          </tr>
        </thead>
        <tbody>
          ${workers.map(
            (worker) =>
              html`<tr key=${worker.id}>
                <th scope="row">${worker.host} · ${worker.pid}</th>
                <td class="right">${count(worker.running)} of ${count(slotsOf(worker))}</td>
                <td class="right">${bytes(worker.memory)}</td>
                <td class="right optional"><${Ago} at=${worker.startedAt} /></td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  <//>`;
}
