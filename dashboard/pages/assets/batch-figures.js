import { doneOf, ENDED, progressBar, wholeOf } from "./batch-parts.js";
import { timeChart } from "./chart.js";
import { card, h, setText } from "./dom.js";
import { bytes, count, duration, rate, shortCount, when } from "./format.js";

const SPAN_S = 3600;
const STEP_S = 5;

/** How far a batch is: the bar and its tiles. */
export function createHead() {
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
      const whole = wholeOf(batch);
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

/** What a dry run found out. */
export function planCard({ plan, state, operation }) {
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

/** Objects per second over the last hour. */
export function createSpeed(initial, signal) {
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
