/** @import { Job, JobError, Session } from "../../answers.ts" */
/** @import { Resource } from "../core/resource.js" */
/** @import { Route } from "../core/routes.js" */
import { useRef } from "preact/hooks";
import { post, withReason } from "../core/api.js";
import { to } from "../core/base.js";
import { html } from "../core/html.js";
import { useOverview } from "../core/live.js";
import { printable, printableLines } from "../core/printable.js";
import { useResource } from "../core/resource.js";
import { ActionButton } from "../parts/action-button.js";
import { CHUNKS } from "../parts/activities-table.js";
import { messageOnly } from "../parts/batches/details.js";
import { JobProgress } from "../parts/job-progress.js";
import { JobTimeline } from "../parts/job-timeline.js";
import { Alert, Card, Facts, Failed, Loading, PageHead, StateBadge } from "../parts/layout.js";
import { QueueHold } from "../parts/queue-state.js";
import { CopyButton, FullName, Message, ObjectName } from "../parts/names.js";

const AGAIN_MS = 1000;
const ENDED = /** @type {readonly string[]} */ (["completed", "failed", "cancelled"]);

/** One job: what was asked, what came of it, and when. @param {{ route: Route, session: Session }} props */
export function View({ route: { params }, session }) {
  const activity = params["activity"] ?? "";
  const id = params["id"] ?? "";
  const path = `/api/jobs/${activity}/${encodeURIComponent(id)}`;
  /** @type {Resource<Job>} */
  const {
    data: job,
    error,
    reload,
  } = useResource(path, {
    every: (known) => (known && ENDED.includes(known.state) ? undefined : AGAIN_MS),
  });
  // A retry wipes the failure from Redis. Whoever pressed the button still wants to know what it was.
  const before = useRef(/** @type {JobError | undefined} */ (undefined));
  const crumbs = [
    ["Jobs", "/jobs"],
    [activity, `/jobs/${activity}`],
  ];
  const title = html`<${ObjectName} text=${job?.source ?? id} />`;
  const retry = async () => {
    const failed = job?.error;
    await post(`${path}/retry`);
    before.current = failed;
    await reload();
  };
  const actions =
    job && session.canOperate && activity !== CHUNKS && html`<${Steering} ...${{ job, path, reload, retry }} />`;
  return html`<div>
    <${PageHead}
      name=${printable(id)}
      title=${title}
      label=${printable(job?.source ?? id)}
      crumbs=${crumbs}
      actions=${actions}
    />
    ${!job && (error ? html`<${Failed} error=${error} />` : html`<${Loading} />`)}
    ${job && html`<${Details} job=${job} before=${before.current} />`}
  </div>`;
}

/** @param {{ job: Job, path: string, reload: () => Promise<void>, retry: () => Promise<void> }} props */
function Steering({ job, path, reload, retry }) {
  const { state, malformed, finishedAt } = job;
  const active = state === "active";
  if (!ENDED.includes(state)) {
    const confirm = {
      title: "Cancel this job?",
      text: active ? "The worker is told to stop. What it has done by then stays done." : "It will not run any more.",
      action: "Cancel the job",
      reason: true,
    };
    const run = async (/** @type {string} */ reason) => {
      await post(withReason(`${path}/cancel`, reason));
      await reload();
    };
    const done = active ? "The worker was told to stop." : "The job is cancelled.";
    return html`<${ActionButton}
      label="Cancel"
      icon="stop"
      tone="danger"
      confirm=${confirm}
      run=${run}
      done=${done}
    />`;
  }
  if (!finishedAt || malformed || state === "completed") return null;
  return html`<${ActionButton} label="Run again" icon="retry" run=${retry} done="The job is in its queue again." />`;
}

/** @param {{ activity: string }} props */
function Waits({ activity }) {
  const { overview } = useOverview();
  const queue = overview?.queues.find(({ name }) => name === activity);
  return overview && queue ? html`<${QueueHold} queue=${queue} overview=${overview} />` : null;
}

/** @param {{ job: Job, before: JobError | undefined }} props */
const Details = ({ job, before }) =>
  html`<div class="stack">
    ${job.state === "waiting" && html`<${Waits} activity=${job.activity} />`}
    ${job.error && html`<${ErrorAlert} error=${job.error} state=${job.state} />`}
    ${!job.error && before && html`<${ErrorAlert} error=${before} state="before" />`}
    <div class="columns">
      <${Card} title="Job"
        ><div class="card-body"><${JobFacts} job=${job} /></div
      ><//>
      <${Card} title="Timeline"
        ><div class="card-body"><${JobTimeline} job=${job} /></div
      ><//>
    </div>
    ${
      job.raw !== undefined &&
      html`<${Card} title="What was found in Redis">
        <div class="card-body">
          <p class="card-note">It is not JSON, so no worker can run it. It was put into quarantine; enqueue it anew.</p>
          <pre class="code" tabindex="0">${printableLines(job.raw)}</pre>
        </div>
      <//>`
    }
    <div class="columns">
      ${job.input !== undefined && html`<${Json} title="Input" value=${job.input} />`}
      ${job.result !== undefined && html`<${Json} title="Result" value=${job.result} />`}
    </div>
  </div>`;

/** @param {{ job: Job }} props */
function JobFacts({ job }) {
  const { id, activity, state, source, destination, attempts, priority, cancelRequested } = job;
  const { worker, schedule, batch, problem } = job;
  const of = attempts.max ? ` of ${attempts.max}` : "";
  const again = attempts.started > attempts.made ? `, started ${attempts.started} times` : "";
  return html`<${Facts}
    rows=${[
      [
        "State",
        html`<span
          ><${StateBadge}
            state=${state}
          />${cancelRequested && state !== "cancelled" ? html`<span class="muted"> cancel requested</span>` : ""}</span
        >`,
      ],
      ["Job id", html`<${FullName} text=${id} /> <${CopyButton} text=${id} label="Copy the id" />`],
      ["Activity", html`<a href=${to(`/jobs/${activity}`)}>${activity}</a>`],
      source && [
        "Object",
        html`<${FullName} text=${source} /> <${CopyButton} text=${source} label="Copy the object's address" />`,
      ],
      destination && ["Destination", html`<${FullName} text=${destination} />`],
      job.progress && ["Progress", html`<${JobProgress} progress=${job.progress} />`],
      ["Attempts", `${attempts.made}${of}${again}`],
      priority && ["Priority", String(priority)],
      batch && ["Batch", html`<a href=${to(`/batches/${batch}`)} class="mono">${batch}</a>`],
      schedule && [
        "Schedule",
        html`<a href=${to(`/schedules?id=${encodeURIComponent(schedule)}`)}>${printable(schedule)}</a>`,
      ],
      worker && ["Worker", html`<a href=${to(`/workers#${worker}`)} class="mono">${printable(worker).slice(0, 8)}</a>`],
      problem && ["Fails alike", html`<a href=${to(`/problems/${problem}`)}>All that failed alike</a>`],
      ...documentsOf(job).map(
        (document) => /** @type {const} */ (["Document", html`<${DocumentLink} id=${document} />`]),
      ),
    ]}
  />`;
}

/** Documents that the job reads or has written. @param {Job} job */
function documentsOf({ input, result }) {
  const ids = [input, result].flatMap((value) => {
    const document = typeof value === "object" && value !== null && "document" in value ? value.document : undefined;
    return typeof document === "object" && document !== null && "id" in document && typeof document.id === "string"
      ? [document.id]
      : [];
  });
  return [...new Set(ids)];
}

/** @param {{ id: string }} props */
const DocumentLink = ({ id }) =>
  html`<a href=${to(`/api/documents/${encodeURIComponent(id)}`)} download="" class="break"
    >Download <span class="mono">${printable(id).slice(0, 12)}</span></a
  >`;

/** @param {{ error: JobError, state: string }} props */
function ErrorAlert({ error, state }) {
  const message = messageOnly(error);
  const extra = [
    error.httpStatus && `HTTP ${error.httpStatus}`,
    // Most messages of stores end with it.
    error.requestId && !message.includes(error.requestId) && `request ${error.requestId}`,
    error.field && `field ${error.field}`,
    error.retryable && "may succeed later",
  ].filter(Boolean);
  const code = printable(error.code);
  const ended = state === "failed" || state === "cancelled";
  const title = ended ? code : state === "before" ? `Before it ran again: ${code}` : `Last attempt: ${code}`;
  return html`<${Alert} severity=${state === "failed" ? "danger" : "warning"} title=${title}>
    <${Message} text=${message} />
    ${extra.length > 0 && html`<p>${extra.join(" · ")}</p>`}
  <//>`;
}

/** @param {{ title: string, value: unknown }} props */
function Json({ title, value }) {
  const text = JSON.stringify(value, undefined, 2);
  return html`<${Card}
    title=${title}
    actions=${html`<${CopyButton} text=${text} label=${`Copy the ${title.toLowerCase()}`} />`}
  >
    <div class="card-body"><pre class="code" tabindex="0" dir="ltr">${printableLines(text)}</pre></div>
  <//>`;
}
