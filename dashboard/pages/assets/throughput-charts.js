import { get } from "./api.js";
import { timeChart } from "./chart.js";
import { card, h, setText } from "./dom.js";
import { duration, rate } from "./format.js";
import { listen } from "./live.js";

const RANGES = ["15m", "1h", "24h"];
/** Longer spans move slowly: they are asked for again now and then. */
const AGAIN_MS = 20_000;

/** What ended per second, and how long it took; live over the last quarter of an hour. `activity` narrows it to one. */
export function throughputCharts({ signal, activity }) {
  let range = "15m";
  let step = 5;
  let buckets = [];

  const speedBox = h("div", { class: "chart" });
  const latencyBox = h("div", { class: "chart" });
  const speedLegend = legend([
    ["completed", "completed"],
    ["failed", "failed"],
  ]);
  const latencyLegend = legend([
    ["p50", "p50"],
    ["p95", "p95"],
    ["wait", "wait p95"],
  ]);
  const speed = timeChart(speedBox, {
    label: "Jobs completed and failed per second over time",
    series: [
      { label: "completed", tone: "accent", fill: true },
      { label: "failed", tone: "danger" },
    ],
    format: rate,
    signal,
  });
  const latency = timeChart(latencyBox, {
    label: "How long jobs ran and waited over time",
    series: [
      { label: "p50", tone: "info" },
      { label: "p95", tone: "delay" },
      { label: "wait", tone: "warn" },
    ],
    format: duration,
    signal,
  });

  const draw = () => {
    const at = buckets.map((bucket) => bucket.at);
    const perSecond = (field) => buckets.map((bucket) => (bucket[field] === null ? null : bucket[field] / step));
    const plain = (field) => buckets.map((bucket) => bucket[field]);
    speed.set([at, perSecond("completed"), perSecond("failed")]);
    latency.set([at, plain("runP50"), plain("runP95"), plain("waitP95")]);
    // The last bucket is still filling.
    const last = buckets.at(-2);
    if (!last) return;
    speedLegend.set([rate((last.completed ?? 0) / step), rate((last.failed ?? 0) / step)]);
    const known = buckets.findLast((bucket) => bucket.runP50 !== null);
    latencyLegend.set(
      known ? [duration(known.runP50), duration(known.runP95), duration(known.waitP95)] : ["–", "–", "–"],
    );
  };
  const load = async () => {
    const wanted = range;
    try {
      const answer = await get(`/api/throughput?range=${wanted}${activity ? `&activity=${activity}` : ""}`, signal);
      if (wanted !== range) return;
      ({ step, buckets } = answer);
      // While it fills, the last bucket would look like a fall.
      buckets = buckets.slice(0, -1);
      draw();
    } catch {
      // Said by the connection's own notice; the next round tries again.
    }
  };
  const merge = (fresh) => {
    if (range !== "15m" || buckets.length === 0) return;
    const since = fresh.buckets[0]?.at ?? Infinity;
    const before = buckets.length;
    buckets = [...buckets.filter((bucket) => bucket.at < since), ...fresh.buckets.slice(0, -1)].slice(-180);
    if (before > 0) draw();
  };

  const picker = h("div", { class: "segments", role: "group", "aria-label": "Time span" });
  for (const name of RANGES) {
    const button = h("button", { type: "button", "aria-pressed": String(name === range) }, name);
    button.addEventListener("click", () => {
      range = name;
      for (const other of picker.children) other.setAttribute("aria-pressed", String(other === button));
      void load();
    });
    picker.append(button);
  }
  const element = h(
    "div",
    { class: "columns" },
    card(
      h(
        "div",
        { class: "card-head" },
        h("h2", {}, "Jobs per second"),
        h("div", { class: "actions" }, speedLegend.element),
      ),
      speedBox,
    ),
    card(
      h("div", { class: "card-head" }, h("h2", {}, "Latency"), h("div", { class: "actions" }, latencyLegend.element)),
      latencyBox,
    ),
  );
  return {
    element,
    picker,
    start: () => {
      void load();
      listen("throughput", merge, signal);
      const timer = setInterval(() => void load(), AGAIN_MS);
      signal.addEventListener("abort", () => clearInterval(timer));
    },
  };
}

function legend(entries) {
  const values = entries.map(() => h("b", {}, "–"));
  const items = entries.map(([tone, label], index) => h("span", { class: `tone-${tone}` }, `${label} `, values[index]));
  return {
    element: h("div", { class: "legend" }, ...items),
    set: (texts) => texts.forEach((text, index) => setText(values[index], text)),
  };
}
