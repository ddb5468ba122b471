import { get, post } from "../api.js";
import { batchBadge, describeBatch, doneOf, ENDED, progressBar } from "../batch-parts.js";
import { timeChart } from "../chart.js";
import { actionButton, card, emptyState, h, icon, keyedList, pageHead, setText } from "../dom.js";
import { bytes, count, duration, rate, shortCount, when } from "../format.js";
import { liveBadge } from "../live-badge.js";
import { follow, listen } from "../live.js";

const SPAN_S = 3600;
const STEP_S = 5;

/** One batch: how far it is, how fast, what failed, and the buttons to steer it. */
export async function show(main, { params: { id }, session, signal, navigate }) {
  const path = `/api/batches/${id}`;
  const [first, rates] = await Promise.all([get(path, signal), get(`${path}/throughput`, signal)]);
  if (signal.aborted) return;
  const { title, route } = describeBatch(first);
  document.title = `${title} · Bucketline`;
  const badgePlace = h("span", {});
  const buttons = h("span", { class: "chips" });
  const notes = h("div", { class: "alerts", role: "status" });
  const head = createHead();
  const plan = h("div", {});
  const speed = createSpeed(rates.buckets, signal);
  const errors = createErrors();
  const newest = createFailures();
  const options = createOptions(first);

  let last;
  let failed;
  let noted;
  const loadFailures = async () => {
    const { rows } = await get(`${path}/failures`, signal);
    if (!signal.aborted) newest.update(rows);
  };
  const draw = (batch) => {
    head.update(batch);
    errors.update(batch);
    options.update(batch);
    if (last?.state !== batch.state || (last?.failed === 0) !== (batch.failed === 0)) {
      badgePlace.replaceChildren(batchBadge(batch.state));
      buttons.replaceChildren(...steering(batch, { path, session, draw, navigate }));
      plan.replaceChildren(...planCard(batch));
    }
    // Said once, and not every second again.
    const said = JSON.stringify([batch.error, batch.trouble, batch.note, batch.capped, ENDED.includes(batch.state)]);
    if (said !== noted) notes.replaceChildren(...notesOf(batch));
    noted = said;
    notes.hidden = notes.childElementCount === 0;
    head.element.hidden = batch.state === "planned";
    speed.element.hidden = batch.state === "planned";
    // They are noted when a chunk is done, which may be later than they are counted.
    const failures = `${batch.failed} ${JSON.stringify(batch.errors)}`;
    if (failures !== failed) loadFailures().catch(() => undefined);
    failed = failures;
    last = batch;
  };
  draw(first);
  main.replaceChildren(
    pageHead(title, { crumbs: [["Batches", "/batches"]], actions: [liveBadge(signal), badgePlace, buttons] }),
    h(
      "div",
      { class: "stack" },
      h("p", { class: "mono break muted" }, route),
      notes,
      plan,
      head.element,
      speed.element,
      h("div", { class: "columns" }, errors.element, options.element),
      newest.element,
    ),
  );
  listen(
    "batch",
    ({ batch, buckets }) => {
      if (batch.id !== id) return;
      draw(batch);
      speed.merge(buckets);
    },
    signal,
  );
  follow(`?batch=${id}`);
}

function steering(batch, { path, session, draw, navigate }) {
  const { state } = batch;
  const steer = (verb) => async () => draw(await post(`${path}/${verb}`));
  const all = [];
  if (session.canOperate) {
    if (state === "planned")
      all.push(
        actionButton({
          label: "Confirm and start",
          iconName: "play",
          tone: "primary",
          confirm: {
            title: `Start this ${batch.operation}?`,
            text: `${count(batch.plan?.objects ?? 0)} objects, ${bytes(batch.plan?.bytes ?? 0)}.`,
            action: "Start it",
          },
          run: async () => draw(await post(`${path}/confirm`)),
          done: "The batch is running.",
        }),
      );
    if (state === "running")
      all.push(
        actionButton({ label: "Pause", iconName: "pause", run: steer("pause"), done: "Workers were told to pause." }),
      );
    if (state === "paused" || state === "pausing")
      all.push(
        actionButton({
          label: "Resume",
          iconName: "play",
          tone: "primary",
          run: steer("resume"),
          done: "The batch goes on.",
        }),
      );
    if (["running", "pausing", "paused", "planned"].includes(state))
      all.push(
        actionButton({
          label: "Cancel",
          iconName: "stop",
          tone: "danger",
          confirm: {
            title: "Cancel this batch?",
            text: "What is done stays done; nothing more is copied or deleted. It cannot be resumed.",
            action: "Cancel the batch",
          },
          run: steer("cancel"),
          done: "The batch was cancelled.",
        }),
      );
    if (ENDED.includes(state) && batch.failed > 0)
      all.push(
        actionButton({
          label: "Retry failed",
          iconName: "retry",
          run: async () => {
            const started = await post(`${path}/retry-failed`);
            await navigate(`/batches/${started.id}`);
          },
          done: "A new batch over the failed objects was started.",
        }),
      );
  }
  if (state !== "planned") {
    all.push(h("a", { class: "button", href: `${path}/report?format=csv`, download: "" }, icon("download"), "CSV"));
    all.push(
      h("a", { class: "button", href: `${path}/report?format=ndjson`, download: "" }, icon("download"), "NDJSON"),
    );
  }
  return all;
}

function note(severity, heading, text) {
  return h(
    "div",
    { class: "alert", "data-severity": severity },
    icon("quarantine"),
    h("div", { class: "break" }, h("p", {}, h("strong", {}, heading)), text && h("p", {}, text)),
  );
}

function notesOf(batch) {
  const all = [];
  if (batch.error) all.push(note("danger", batch.error.code, batch.error.message.replace(`${batch.error.code}: `, "")));
  if (batch.trouble && !ENDED.includes(batch.state))
    all.push(
      note(
        "warning",
        `Held up by ${batch.trouble.code}`,
        `${batch.trouble.message.replace(`${batch.trouble.code}: `, "")} It is tried again by itself.`,
      ),
    );
  if (batch.capped)
    all.push(
      note(
        "warning",
        "It ended at its limit",
        batch.capped === "maxObjects" ? "As many objects as allowed were done." : "As many bytes as allowed were done.",
      ),
    );
  if (batch.note) all.push(note("warning", batch.note));
  if (batch.retryOf)
    all.push(
      h(
        "p",
        { class: "muted" },
        "This repeats what failed in ",
        h("a", { href: `/batches/${batch.retryOf}` }, "an earlier batch"),
        ".",
      ),
    );
  return all;
}

function createHead() {
  const big = h("strong", {});
  const of = h("span", { class: "muted" });
  const right = h("span", { class: "muted" });
  const bar = progressBar(true);
  const names = ["Succeeded", "Failed", "Skipped", "Data", "Speed", "Time"];
  const values = Object.fromEntries(
    names.map((name) => [name, { value: h("dd", {}), sub: h("dd", { class: "sub" }) }]),
  );
  const tiles = h(
    "dl",
    { class: "tiles" },
    ...names.map((name) => h("div", { class: "card tile" }, h("dt", {}, name), values[name].value, values[name].sub)),
  );
  const element = h(
    "div",
    { class: "stack" },
    h("section", { class: "card head-card" }, h("div", { class: "progress-line" }, big, of, right), bar.element),
    tiles,
  );
  const set = (name, value, sub = "") => {
    setText(values[name].value, value);
    setText(values[name].sub, sub);
  };
  return {
    element,
    update: (batch) => {
      const done = doneOf(batch);
      const whole = batch.total ?? batch.listed;
      const percent =
        batch.total === undefined && !ENDED.includes(batch.state)
          ? ""
          : `${whole === 0 ? 100 : Math.floor((100 * done) / whole)}%`;
      setText(big, percent || count(done));
      setText(of, percent ? `${count(done)} of ${count(whole)} objects` : `of ${count(whole)} objects found so far`);
      setText(right, batch.etaSeconds === undefined ? "" : `about ${duration(batch.etaSeconds * 1000)} to go`);
      bar.update(batch);
      set(
        "Succeeded",
        shortCount(batch.succeeded),
        batch.filtered > 0 ? `${shortCount(batch.filtered)} filtered out` : "",
      );
      set(
        "Failed",
        shortCount(batch.failed),
        batch.failed > 0 && done > 0 ? `${((100 * batch.failed) / done).toFixed(1)}% of tried` : "",
      );
      values.Failed.value.parentElement.classList.toggle("is-danger", batch.failed > 0);
      set(
        "Skipped",
        shortCount(batch.skipped),
        batch.unattempted > 0 ? `${shortCount(batch.unattempted)} not attempted` : "",
      );
      set("Data", bytes(batch.bytes), batch.bytesPerSecond > 0 ? `${bytes(batch.bytesPerSecond)}/s` : "");
      set("Speed", `${rate(batch.objectsPerSecond)}/s`, "objects");
      const end = batch.endedAt ? new Date(batch.endedAt) : new Date();
      set(
        "Time",
        duration(end - new Date(batch.startedAt ?? batch.createdAt)),
        `since ${when(batch.startedAt ?? batch.createdAt)}`,
      );
    },
  };
}

function planCard({ plan, state, operation }) {
  if (!plan || state !== "planned") return [];
  const facts = [
    ["Objects", count(plan.objects)],
    ["Data", bytes(plan.bytes)],
    operation !== "delete" && ["Already at the destination", count(plan.collisions)],
    operation !== "delete" && ["Above 5 GiB, copied in parts", count(plan.over5GiB)],
    ["Archived, cannot be read", count(plan.archived)],
    ["Cannot be worked on", count(plan.refused)],
    ["Requests, about", count(plan.requests)],
    ["Can be confirmed until", when(plan.expiresAt)],
  ].filter(Boolean);
  return [
    card(
      "What would happen",
      h(
        "div",
        { class: "card-body stack" },
        h("p", { class: "muted" }, "Nothing was changed yet. Confirm to start exactly this."),
        h("dl", { class: "facts" }, ...facts.flatMap(([label, value]) => [h("dt", {}, label), h("dd", {}, value)])),
      ),
    ),
  ];
}

function createSpeed(initial, signal) {
  const box = h("div", { class: "chart" });
  const element = card("Objects per second, the last hour", box);
  const chart = timeChart(box, {
    label: "Objects brought to their end per second over the last hour",
    series: [{ label: "objects", tone: "accent", fill: true }],
    format: rate,
    signal,
  });
  const known = new Map();
  const merge = (buckets) => {
    for (const { at, objects } of buckets) known.set(Math.floor(new Date(at) / 1000 / STEP_S) * STEP_S, objects);
    // Steps without progress are left out of the record: they are zero. The last one is still filling.
    const end = Math.floor(Date.now() / 1000 / STEP_S) * STEP_S - STEP_S;
    const first = Math.max(Math.min(...known.keys(), end - 60), end - SPAN_S);
    const times = Array.from(
      { length: Math.max(2, Math.floor((end - first) / STEP_S) + 1) },
      (_, index) => first + index * STEP_S,
    );
    chart.set([times, times.map((at) => (known.get(at) ?? 0) / STEP_S)]);
  };
  merge(initial);
  return { element, merge };
}

function createErrors() {
  const body = h("tbody", {});
  const draw = keyedList(
    body,
    ([code]) => code,
    ([code]) => {
      const value = h("td", { class: "right" });
      return {
        element: h("tr", {}, h("th", { scope: "row" }, code), value),
        update: ([, failures]) => setText(value, count(failures)),
      };
    },
  );
  const table = h(
    "div",
    { class: "table-wrap" },
    h(
      "table",
      { class: "table" },
      h(
        "thead",
        {},
        h("tr", {}, h("th", { scope: "col" }, "Code"), h("th", { scope: "col", class: "right" }, "Objects")),
      ),
      body,
    ),
  );
  const none = emptyState("check", "Nothing failed", h("p", {}, "Objects that fail are counted here by their error."));
  const later = h("p", { class: "card-body muted" }, "Errors are told apart when their chunk is done.");
  return {
    element: card("Errors", table, none, later),
    update: ({ errors, failed }) => {
      const entries = Object.entries(errors).toSorted(([, one], [, other]) => other - one);
      table.hidden = entries.length === 0;
      none.hidden = entries.length > 0 || failed > 0;
      later.hidden = entries.length > 0 || failed === 0;
      draw(entries);
    },
  };
}

function createFailures() {
  const body = h("tbody", {});
  const element = card(
    h(
      "div",
      { class: "card-head" },
      h("h2", {}, "Newest failures"),
      h("span", { class: "card-note" }, "at most 100; the report has all"),
    ),
    h(
      "div",
      { class: "table-wrap" },
      h(
        "table",
        { class: "table" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Key"), h("th", { scope: "col" }, "Reason"))),
        body,
      ),
    ),
  );
  element.hidden = true;
  return {
    element,
    update: (rows) => {
      element.hidden = rows.length === 0;
      body.replaceChildren(
        ...rows.map(({ bucket, key, code, message }) =>
          h(
            "tr",
            {},
            h("td", { class: "mono break failure-key" }, `s3://${bucket}/${key}`),
            h(
              "td",
              { class: "break" },
              h("span", { class: "is-danger-text" }, code ?? "failed"),
              message && h("div", { class: "muted" }, message.replace(`${code}: `, "")),
            ),
          ),
        ),
      );
    },
  };
}

function createOptions(batch) {
  const chain = h("dd", {});
  const requests = h("dd", {});
  const priority = h("dd", {});
  const facts = [
    ["Batch id", h("dd", { class: "mono" }, batch.id)],
    ["Created", h("dd", {}, when(batch.createdAt))],
    ["Priority", priority],
    ["Chain", chain],
    ["Requests", requests],
  ];
  const element = card(
    "Details",
    h(
      "div",
      { class: "card-body stack" },
      h("dl", { class: "facts" }, ...facts.flatMap(([label, value]) => [h("dt", {}, label), value])),
      h(
        "details",
        { class: "more" },
        h("summary", {}, "All options"),
        h("pre", { class: "code", tabindex: "0" }, JSON.stringify(batch.spec, undefined, 2)),
      ),
    ),
  );
  return {
    element,
    update: (next) => {
      setText(priority, next.priority);
      setText(chain, next.chain ? chainText(next.chain) : ENDED.includes(next.state) ? "at its end" : "at rest");
      const { list, head, copy, delete: deletes } = next.requests;
      setText(requests, `${count(list)} list, ${count(head)} head, ${count(copy)} copy, ${count(deletes)} delete`);
    },
  };
}

function chainText({ openChunks, listing, feeding }) {
  const going = feeding
    ? "reading the manifest"
    : listing > 0
      ? `${count(listing)} ${listing === 1 ? "chain lists" : "chains list"} on`
      : "all is listed";
  return `${count(openChunks)} ${openChunks === 1 ? "chunk" : "chunks"} in flight, ${going}`;
}
