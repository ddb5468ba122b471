/** @import { Quarantined, Session } from "../../answers.ts" */
/** @import { Resource } from "../core/resource.js" */
import { useEffect } from "preact/hooks";
import { remove, withReason } from "../core/api.js";
import { to } from "../core/base.js";
import { count } from "../core/format.js";
import { html } from "../core/html.js";
import { useOverview } from "../core/live.js";
import { printable, printableLines } from "../core/printable.js";
import { useResource } from "../core/resource.js";
import { ActionButton } from "../parts/action-button.js";
import { Card, EmptyState, Failed, Loading, PageHead } from "../parts/layout.js";
import { Time } from "../parts/names.js";

/** @typedef {{ total: number, jobs: readonly Quarantined[] }} Page */

/** Jobs that could not be read. @param {{ session: Session }} props */
export function View({ session }) {
  const { overview } = useOverview();
  /** @type {Resource<Page>} */
  const { data, error, reload } = useResource("/api/quarantine");
  useEffect(() => void reload(), [overview?.quarantined]);
  return html`<div>
    <${PageHead} name="Quarantine" title="Quarantine" crumbs=${[["Jobs", "/jobs"]]} />
    ${!data && (error ? html`<${Failed} error=${error} />` : html`<${Loading} />`)}
    ${data && html`<${Entries} page=${data} session=${session} reload=${reload} />`}
  </div>`;
}

/** @param {{ page: Page, session: Session, reload: () => Promise<void> }} props */
function Entries({ page: { total, jobs }, session, reload }) {
  if (total === 0)
    return html`<${Card}>
      <${EmptyState} icon="check" title="No job is in quarantine">
        <p>
          Jobs that are not JSON are put here instead of breaking the queue. Only a program that writes into Redis by
          itself can make one.
        </p>
      <//>
    <//>`;
  const were = total === 1 ? "job was" : "jobs were";
  return html`<div class="stack">
    <p class="muted">
      ${count(total)} ${were} put aside, because a program wrote into Redis what is not JSON. They are among the failed
      jobs, too.
    </p>
    ${jobs.map((job) => html`<${Entry} key=${`${job.activity}/${job.id}`} job=${job} session=${session} reload=${reload} />`)}
  </div>`;
}

/** @param {{ job: Quarantined, session: Session, reload: () => Promise<void> }} props */
function Entry({ job: { activity, id, reason, at, raw }, session, reload }) {
  const path = `${encodeURIComponent(activity)}/${encodeURIComponent(id)}`;
  const forget = async (/** @type {string} */ why) => {
    await remove(withReason(`/api/quarantine/${path}`, why));
    await reload();
  };
  const confirm = {
    title: "Forget this job?",
    text: "What was found is deleted. The failed job stays until its time is over.",
    reason: true,
  };
  const title = html`<a href=${to(`/jobs/${path}`)}><bdi>${printable(`${activity} / ${id}`)}</bdi></a>`;
  const actions = html`<span class="muted"><${Time} at=${at} /></span
    >${session.canOperate && html`<${ActionButton} label="Forget" confirm=${confirm} run=${forget} done="Forgotten." />`}`;
  return html`<${Card} title=${title} actions=${html`<span class="chips">${actions}</span>`}>
    <div class="card-body stack">
      <p class="break">${printable(reason)}</p>
      <pre class="code" tabindex="0">${printableLines(raw)}</pre>
    </div>
  <//>`;
}
