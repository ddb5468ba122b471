import { get, post } from "../api.js";
import { actionButton, card, h, icon, pageHead, toast } from "../dom.js";
import { duration, when } from "../format.js";
import { stateBadge } from "./jobs.js";

const AGAIN_MS = 1000;
const ENDED = ["completed", "failed", "cancelled"];
const CHUNKS = "batch-chunk";

/** One job: what was asked, what came of it, and when. */
export async function show(main, { params: { activity, id }, session, signal }) {
  document.title = `${id} · Bucketline`;
  const path = `/api/jobs/${activity}/${encodeURIComponent(id)}`;
  let shown = "";
  const load = async () => {
    const job = await get(path, signal);
    if (signal.aborted) return job;
    const now = JSON.stringify(job);
    // Drawn anew only where something changed, so that a selection is left in peace.
    if (now !== shown) main.replaceChildren(...draw(job, { path, session, load }));
    shown = now;
    return job;
  };
  let { state } = await load();
  const again = async () => {
    try {
      ({ state } = await load());
    } catch {
      // The connection's own notice says it; the next round tries again.
    }
  };
  const timer = setInterval(() => {
    if (!ENDED.includes(state)) void again();
  }, AGAIN_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

function draw(job, { path, session, load }) {
  const { activity, id, state } = job;
  const actions = [];
  if (session.canOperate && activity !== CHUNKS && !ENDED.includes(state))
    actions.push(
      actionButton({
        label: "Cancel",
        iconName: "stop",
        tone: "danger",
        confirm: {
          title: "Cancel this job?",
          text:
            state === "active"
              ? "The worker is told to stop. What it has done by then stays done."
              : "It will not run any more.",
          action: "Cancel the job",
        },
        run: async () => {
          await post(`${path}/cancel`);
          await load();
        },
        done: state === "active" ? "The worker was told to stop." : "The job is cancelled.",
      }),
    );
  if (
    session.canOperate &&
    activity !== CHUNKS &&
    job.finishedAt &&
    (state === "failed" || state === "cancelled") &&
    !job.malformed
  )
    actions.push(
      actionButton({
        label: "Run again",
        iconName: "retry",
        run: async () => {
          await post(`${path}/retry`);
          location.reload();
        },
        done: "The job is in its queue again.",
      }),
    );
  actions.push(
    h(
      "a",
      { class: "button", href: `/queues/queue/${activity}/${encodeURIComponent(id)}` },
      icon("external"),
      "bull-board",
    ),
  );

  const title = job.source ?? id;
  const facts = [
    [
      "State",
      h(
        "span",
        {},
        stateBadge(state),
        job.cancelRequested && state !== "cancelled" ? h("span", { class: "muted" }, " cancel requested") : null,
      ),
    ],
    ["Job id", h("span", { class: "mono" }, id, " ", copyButton(id))],
    ["Activity", h("a", { href: `/jobs/${activity}` }, activity)],
    job.source && ["Object", h("span", { class: "mono" }, job.source)],
    job.destination && ["Destination", h("span", { class: "mono" }, job.destination)],
    [
      "Attempts",
      `${job.attempts.made}${job.attempts.max ? ` of ${job.attempts.max}` : ""}${job.attempts.started > job.attempts.made ? `, started ${job.attempts.started} times` : ""}`,
    ],
    job.priority && ["Priority", String(job.priority)],
  ].filter(Boolean);
  return [
    pageHead(title, {
      crumbs: [
        ["Jobs", "/jobs"],
        [activity, `/jobs/${activity}`],
      ],
      actions,
    }),
    h(
      "div",
      { class: "stack" },
      job.error && errorCard(job),
      h(
        "div",
        { class: "columns" },
        card(
          "Job",
          h(
            "div",
            { class: "card-body" },
            h("dl", { class: "facts" }, ...facts.flatMap(([label, value]) => [h("dt", {}, label), h("dd", {}, value)])),
          ),
        ),
        card("Timeline", h("div", { class: "card-body" }, timeline(job))),
      ),
      job.raw !== undefined &&
        card(
          "What was found in Redis",
          h(
            "div",
            { class: "card-body" },
            h(
              "p",
              { class: "card-note" },
              "It is not JSON, so no worker can run it. It was put into quarantine; enqueue it anew.",
            ),
            h("pre", { class: "code" }, job.raw),
          ),
        ),
      h(
        "div",
        { class: "columns" },
        job.input !== undefined && json("Input", job.input),
        job.result !== undefined && json("Result", job.result),
      ),
    ),
  ];
}

function errorCard({ error, state }) {
  const extra = [
    error.httpStatus && `HTTP ${error.httpStatus}`,
    error.requestId && `request ${error.requestId}`,
    error.field && `field ${error.field}`,
    error.retryable && "may succeed later",
  ].filter(Boolean);
  const heading = state === "failed" || state === "cancelled" ? error.code : `Last attempt: ${error.code}`;
  return h(
    "div",
    { class: "alert", "data-severity": state === "failed" ? "danger" : "warning" },
    icon("quarantine"),
    h(
      "div",
      { class: "break" },
      h("p", {}, h("strong", {}, heading)),
      h("p", {}, error.message.replace(`${error.code}: `, "")),
      extra.length > 0 && h("p", {}, extra.join(" · ")),
    ),
  );
}

function timeline(job) {
  const start = new Date(job.createdAt).getTime();
  const after = (at) => (at ? `+${duration(new Date(at).getTime() - start)}` : "");
  const ended = { completed: "Completed", failed: "Failed", cancelled: "Cancelled" }[job.state] ?? "Ended";
  const points = [
    job.createdAt && ["Asked", job.createdAt, ""],
    job.dueAt && ["Due", job.dueAt, ""],
    job.startedAt && ["Last attempt started", job.startedAt, after(job.startedAt)],
    job.finishedAt && [ended, job.finishedAt, after(job.finishedAt)],
  ].filter(Boolean);
  if (points.length === 0)
    return h("p", { class: "muted" }, "It was cancelled before it ran, so nothing more is kept of it.");
  return h(
    "ol",
    { class: "timeline" },
    ...points.map(([label, at, delta]) =>
      h(
        "li",
        { class: label === "Failed" ? "bad" : "" },
        h("span", {}, label, h("span", { class: "muted" }, delta && ` ${delta}`)),
        h("time", { class: "muted", datetime: at }, when(at)),
      ),
    ),
  );
}

function json(title, value) {
  const text = JSON.stringify(value, undefined, 2);
  return card(
    h("div", { class: "card-head" }, h("h2", {}, title), h("div", { class: "actions" }, copyButton(text))),
    h("div", { class: "card-body" }, h("pre", { class: "code", tabindex: "0" }, text)),
  );
}

function copyButton(text) {
  const button = h(
    "button",
    { type: "button", class: "icon-button inline", "aria-label": "Copy", title: "Copy" },
    icon("copy"),
  );
  button.addEventListener("click", () => {
    navigator.clipboard.writeText(text).then(
      () => toast("Copied."),
      () => toast("The browser does not allow copying here.", "danger"),
    );
  });
  return button;
}
