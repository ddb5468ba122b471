import { get } from "../api.js";
import { badge, emptyState, h, icon, pageHead, setClass, setText } from "../dom.js";
import { count, duration, shortCount, TONES, when } from "../format.js";
import { liveBadge } from "../live-badge.js";
import { follow, listen } from "../live.js";
import { throughputCharts } from "../throughput-charts.js";

const STATES = ["waiting", "active", "delayed", "failed", "completed"];
const CHUNKS = "batch-chunk";
const PAGE = 25;
const EMPTY = {
  waiting: "Nothing waits: workers keep up, or nobody asks.",
  active: "No worker works on one just now.",
  delayed: "Nothing waits for its time or for another attempt.",
  failed: "Nothing failed in the last week.",
  completed: "Nothing completed in the last day.",
};

/** The jobs of one activity, or the choice of one. */
export async function show(main, { params, query, signal, navigate }) {
  const { activities } = await get("/api/activities", signal);
  if (signal.aborted) return;
  const names = [...activities.map(({ name }) => name), CHUNKS];
  if (params.activity === undefined) return showActivities(main, { activities, signal, navigate });
  if (!names.includes(params.activity)) throw new Error(`There is no activity ${params.activity}.`);
  const asked = query.get("state");
  const state = STATES.includes(asked) ? asked : "failed";
  const page = Math.max(1, Number.parseInt(query.get("page") ?? "1", 10) || 1);
  await showJobs(main, { activity: params.activity, names, state, page, signal, navigate });
}

function showActivities(main, { activities, signal, navigate }) {
  document.title = "Jobs · Bucketline";
  const rows = new Map();
  const list = h("tbody", {});
  for (const { name, summary } of [
    ...activities,
    { name: CHUNKS, summary: "Chunks of batches, passed from worker to worker" },
  ]) {
    const cells = Object.fromEntries(
      ["waiting", "active", "failed"].map((state) => [state, h("a", { href: `/jobs/${name}?state=${state}` })]),
    );
    const waiting = h("td", { class: "right" }, cells.waiting);
    const active = h("td", { class: "right" }, cells.active);
    const failed = h("td", { class: "right" }, cells.failed);
    rows.set(name, cells);
    list.append(
      h(
        "tr",
        {},
        h("th", { scope: "row" }, h("a", { href: `/jobs/${name}` }, name)),
        h("td", { class: "muted optional" }, summary),
        waiting,
        active,
        failed,
      ),
    );
  }
  const draw = ({ queues, quarantined }) => {
    for (const queue of queues) {
      for (const [state, cell] of Object.entries(rows.get(queue.name) ?? {})) {
        setText(cell, shortCount(queue[state]));
        setClass(cell, "zero", queue[state] === 0);
        setClass(cell, "is-danger-text", state === "failed" && queue[state] > 0);
      }
    }
    setText(aside, quarantined > 0 ? `Quarantine (${quarantined})` : "Quarantine");
  };
  const aside = h("a", { class: "button", href: "/quarantine" }, "Quarantine");
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, "Activity"),
    h("th", { scope: "col", class: "optional" }, "What it does"),
    ...["Waiting", "Active", "Failed"].map((label) => h("th", { scope: "col", class: "right" }, label)),
  );
  main.replaceChildren(
    pageHead("Jobs", {
      actions: [
        liveBadge(signal),
        search(navigate),
        aside,
        h("a", { class: "button", href: "/queues/" }, icon("external"), "bull-board"),
      ],
    }),
    h(
      "section",
      { class: "card" },
      h("div", { class: "table-wrap bare" }, h("table", { class: "table" }, h("thead", {}, head), list)),
    ),
  );
  listen("overview", draw, signal);
  return get("/api/overview", signal).then(draw);
}

/** Finds a job in whatever queue it is. */
export function search(navigate) {
  const input = h("input", {
    class: "input",
    type: "search",
    name: "id",
    placeholder: "Job id",
    "aria-label": "Find a job by its id",
    autocomplete: "off",
    spellcheck: "false",
  });
  const said = h("span", { class: "field-error", role: "alert" });
  const find = async () => {
    const id = input.value.trim();
    setText(said, "");
    if (id === "") return;
    try {
      const { jobs } = await get(`/api/jobs?id=${encodeURIComponent(id)}`);
      const [job] = jobs;
      if (job) await navigate(`/jobs/${job.activity}/${encodeURIComponent(job.id)}`);
      else setText(said, "No job has this id (any more).");
    } catch (error) {
      setText(said, error.message);
    }
  };
  const form = h("form", { class: "search", role: "search" }, input, said);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void find();
  });
  return form;
}

async function showJobs(main, { activity, names, state, page, signal, navigate }) {
  document.title = `${activity} · Bucketline`;
  const address = (to) => `/jobs/${activity}?state=${to.state ?? state}${(to.page ?? 1) > 1 ? `&page=${to.page}` : ""}`;
  const counts = Object.fromEntries(STATES.map((name) => [name, h("span", { class: "n" })]));
  const tabs = h(
    "nav",
    { class: "segments", "aria-label": "State" },
    ...STATES.map((name) =>
      h(
        "a",
        { href: address({ state: name }), "aria-current": name === state ? "true" : undefined },
        name,
        counts[name],
      ),
    ),
  );
  const chooser = h(
    "select",
    { class: "input", "aria-label": "Activity" },
    ...names.map((name) => h("option", { value: name, selected: name === activity }, name)),
  );
  chooser.addEventListener("change", () => void navigate(`/jobs/${chooser.value}?state=${state}`));
  const charts = activity === CHUNKS ? undefined : throughputCharts({ signal, activity });
  const place = h("div", {});
  const pager = h("div", { class: "pager" });

  const load = async () => {
    const { total, jobs } = await get(
      `/api/jobs/${activity}?state=${state}&offset=${(page - 1) * PAGE}&limit=${PAGE}`,
      signal,
    );
    if (signal.aborted) return;
    place.replaceChildren(
      jobs.length === 0
        ? emptyState("jobs", `No ${state} jobs`, h("p", {}, EMPTY[state]))
        : table(jobs, activity, state),
    );
    drawPager(pager, { total, page, address });
  };
  const [overview] = await Promise.all([get("/api/overview", signal), load()]);
  if (signal.aborted) return;
  // Lists are asked for again only where their figures moved, and not under somebody's hands.
  let seen = "";
  const update = ({ queues }) => {
    const queue = queues.find(({ name }) => name === activity);
    for (const name of STATES) setText(counts[name], shortCount(queue[name]));
    const mark = `${queue[state]} ${state === "completed" ? queue.completedPerSecond : ""} ${state === "active" ? Math.random() : ""}`;
    const changed = seen !== "" && mark !== seen;
    seen = mark;
    if (changed && page === 1 && !place.contains(document.activeElement) && !place.matches(":hover"))
      load().catch(() => undefined);
  };
  update(overview);
  main.replaceChildren(
    pageHead(activity, {
      crumbs: [["Jobs", "/jobs"]],
      actions: [
        liveBadge(signal),
        chooser,
        h("a", { class: "button", href: `/queues/queue/${activity}` }, icon("external"), "bull-board"),
      ],
    }),
    h(
      "div",
      { class: "stack" },
      charts && h("div", { class: "stack after-on-phone" }, h("div", {}, charts.picker), charts.element),
      h("section", { class: "card" }, h("div", { class: "card-head" }, tabs), place, pager),
    ),
  );
  charts?.start();
  if (charts) follow(`?activity=${activity}`);
  listen("overview", update, signal);
}

function drawPager(pager, { total, page, address }) {
  const last = Math.max(1, Math.ceil(total / PAGE));
  const first = total === 0 ? 0 : (page - 1) * PAGE + 1;
  const link = (label, to, possible) =>
    possible
      ? h("a", { class: "button small", href: address({ page: to }) }, label)
      : h("span", { class: "button small", "aria-disabled": "true" }, label);
  pager.replaceChildren(
    h("span", { class: "muted" }, `${count(first)} – ${count(Math.min(total, page * PAGE))} of ${count(total)}`),
    h("span", { class: "chips" }, link("Previous", page - 1, page > 1), link("Next", page + 1, page < last)),
  );
}

const TIMES = {
  waiting: ["Asked", "createdAt"],
  active: ["Started", "startedAt"],
  delayed: ["Due", "dueAt"],
  failed: ["Failed", "finishedAt"],
  completed: ["Completed", "finishedAt"],
};

function table(jobs, activity, state) {
  const [timeLabel, timeField] = TIMES[state];
  const showsError = state === "failed" || state === "delayed";
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, "Object"),
    showsError && h("th", { scope: "col", class: "optional" }, "Error"),
    h("th", { scope: "col", class: "right optional" }, "Attempts"),
    state === "completed" && h("th", { scope: "col", class: "right" }, "Took"),
    h("th", { scope: "col", class: "right" }, timeLabel),
  );
  return h(
    "div",
    { class: "table-wrap" },
    h("table", { class: "table" }, h("thead", {}, head), h("tbody", {}, ...jobs.map(row))),
  );

  function row(job) {
    const subject = job.source ?? job.id;
    const to = job.destination
      ? h("div", { class: "muted key mono", title: job.destination }, `→ ${job.destination}`)
      : undefined;
    const took = job.startedAt && job.finishedAt ? duration(new Date(job.finishedAt) - new Date(job.startedAt)) : "–";
    return h(
      "tr",
      {},
      h(
        "td",
        {},
        h(
          "div",
          { class: "key mono" },
          h("a", { href: `/jobs/${activity}/${encodeURIComponent(job.id)}`, title: subject }, subject),
        ),
        to,
        showsError && job.error && h("div", { class: "is-danger-text only-phone" }, job.error.code),
        job.malformed && badge("malformed", "danger"),
      ),
      showsError &&
        h(
          "td",
          { class: "error-cell optional" },
          job.error ? h("span", { class: "is-danger-text", title: job.error.message }, job.error.code) : "–",
        ),
      h("td", { class: "right optional" }, job.attempts),
      state === "completed" && h("td", { class: "right nowrap" }, took),
      h("td", { class: "right nowrap" }, when(job[timeField])),
    );
  }
}

export const stateBadge = (state) => badge(state, TONES[state]);
