/** @import { WorkerView } from "../../answers.ts" */
import { bytes, count } from "../core/format.js";
import { to } from "../core/base.js";
import { html } from "../core/html.js";
import { printable } from "../core/printable.js";
import { useOverview } from "../core/live.js";
import { Card, EmptyState, Facts, Failed, Loading, PageHead } from "../parts/layout.js";
import { LiveBadge } from "../parts/live-badge.js";
import { Ago } from "../parts/names.js";

/** The slots for chunks of batches go by another name than their queue. @type {Readonly<Record<string, string>>} */
const SLOTS = { "batch-chunk": "batches" };

/** Jobs that are named of those that a worker has. */
const HELD = 12;

/** @param {{ job: string }} props */
function HeldJob({ job }) {
  const [queue = "", ...rest] = job.split("/");
  const id = rest.join("/");
  return html`<a class="chip" href=${to(`/jobs/${queue}/${encodeURIComponent(id)}`)}
    >${queue} ${printable(id).slice(0, 12)}</a
  >`;
}

/** The workers that are alive: where, what they take, how busy they are. */
export function View() {
  const { overview, error } = useOverview();
  return html`<div>
    <${PageHead} name="Workers" title="Workers" actions=${html`<${LiveBadge} />`} />
    ${overview ? html`<${List} workers=${overview.workers} />` : error ? html`<${Failed} error=${error} />` : html`<${Loading} />`}
  </div>`;
}

/** @param {{ workers: readonly WorkerView[] }} props */
function List({ workers }) {
  if (workers.length > 0)
    return html`<div class="columns">
      ${workers.map((worker) => html`<${WorkerCard} key=${worker.id} worker=${worker} />`)}
    </div>`;
  return html`<${Card}>
    <${EmptyState} icon="workers" title="No worker is alive">
      <p>
        Jobs wait in Redis until one comes. Start one with the same REDIS_URL and BUCKETLINE_PREFIX as the dashboard:
      </p>
      <pre class="code" tabindex="0">npx bucketline worker</pre>
    <//>
  <//>`;
}

/** @param {{ worker: WorkerView }} props */
function WorkerCard({ worker }) {
  const { id, host, pid, running, memory, lessons, startedAt, seenAt, activities, concurrency, jobs } = worker;
  const capacity = Object.values(concurrency).reduce((sum, slots) => sum + slots, 0);
  const width = `${capacity > 0 ? Math.min(100, (100 * running) / capacity) : 0}%`;
  const chips = activities.map(
    (name) => html`<span key=${name} class="chip">${name} ${concurrency[SLOTS[name] ?? name] ?? ""}</span>`,
  );
  return html`<${Card}
    id=${id}
    title=${html`<span class="break">${host} · process ${pid}</span>`}
    actions=${html`<span class="mono faint" title=${id}>${id.slice(0, 8)}</span>`}
  >
    <div class="card-body stack">
      <div class="bar" aria-hidden="true"><div class="bar-fill" style=${{ width }}></div></div>
      <${Facts}
        rows=${[
          ["Running", `${count(running)} of ${count(capacity)} slots`],
          ["Memory", bytes(memory)],
          ["Started", html`<${Ago} at=${startedAt} />`],
          ["Last heartbeat", html`<${Ago} at=${seenAt} />`],
          ["Takes", html`<div class="chips">${chips}</div>`],
          ...lessons.map((lesson) => ["Learned", lesson]),
          jobs.length > 0 && [
            "Works on",
            html`<div class="chips">
              ${jobs.slice(0, HELD).map((job) => html`<${HeldJob} key=${job} job=${job} />`)}
            </div>`,
          ],
        ]}
      />
    </div>
  <//>`;
}
