/** @import { JobBucket } from "../../answers.ts" */
/** @import { ChartData } from "./time-chart.js" */
import { useMemo, useState } from "preact/hooks";
import { duration, rate } from "../core/format.js";
import { html } from "../core/html.js";
import { useLive } from "../core/live.js";
import { useResource } from "../core/resource.js";
import { changeQuery, route } from "../core/router.js";
import { useStore } from "../core/store.js";
import { durationTicks, rateTicks } from "../core/ticks.js";
import { Card } from "./layout.js";
import { TimeChart } from "./time-chart.js";

const RANGES = ["15m", "1h", "24h"];
/** Longer spans move slowly: they are asked for again now and then. */
const AGAIN_MS = 20_000;
/** A quarter of an hour in steps of five seconds. */
const NEWEST = 180;

const SPEED = [
  { label: "completed", tone: "accent", fill: true },
  { label: "failed", tone: "danger" },
];
const LATENCY = [
  { label: "p50", tone: "info" },
  { label: "p95", tone: "delay" },
  { label: "wait p95", tone: "warn" },
];

/** The span that the address asks for. */
const useRange = () => {
  const asked = useStore(route).query.get("range") ?? "";
  return RANGES.includes(asked) ? asked : "15m";
};

/** The span of time that charts show; it is part of the address. */
export function RangePicker() {
  const range = useRange();
  return html`<div class="segments" role="group" aria-label="Time span">
    ${RANGES.map(
      (name) =>
        html`<button
          key=${name}
          type="button"
          aria-pressed=${String(name === range)}
          onClick=${() => changeQuery({ range: name === "15m" ? undefined : name })}
        >
          ${name}
        </button>`,
    )}
  </div>`;
}

/** @param {readonly JobBucket[]} buckets @param {number} step @returns {{ speed: ChartData, latency: ChartData }} */
function chartData(buckets, step) {
  const at = buckets.map((bucket) => bucket.at);
  const perSecond = (/** @type {"completed" | "failed"} */ field) =>
    buckets.map((bucket) => (bucket[field] === null ? null : bucket[field] / step));
  return {
    speed: [at, perSecond("completed"), perSecond("failed")],
    latency: [
      at,
      buckets.map(({ runP50 }) => runP50),
      buckets.map(({ runP95 }) => runP95),
      buckets.map(({ waitP95 }) => waitP95),
    ],
  };
}

/** What ended per second, and how long it took; live over the last quarter of an hour. @param {{ activity?: string }} props narrows it to one */
export function ThroughputCharts({ activity }) {
  const range = useRange();
  const { data } = useResource(`/api/throughput?range=${range}${activity ? `&activity=${activity}` : ""}`, {
    every: AGAIN_MS,
  });
  const [fresh, setFresh] = useState(/** @type {readonly JobBucket[]} */ ([]));
  useLive("throughput", ({ buckets }) => setFresh(buckets), []);
  const answer = /** @type {{ step: number, buckets: readonly JobBucket[] } | undefined} */ (data);
  const step = answer?.step ?? 5;
  const shown = useMemo(() => {
    // While it fills, the last bucket would look like a fall.
    const known = answer?.buckets.slice(0, -1) ?? [];
    if (range !== "15m" || fresh.length === 0 || known.length === 0) return known;
    const since = fresh[0]?.at ?? Infinity;
    return [...known.filter((bucket) => bucket.at < since), ...fresh.slice(0, -1)].slice(-NEWEST);
  }, [answer, fresh, range]);
  const { speed, latency } = useMemo(() => chartData(shown, step), [shown, step]);
  const last = shown.at(-1);
  const known = shown.findLast((bucket) => bucket.runP50 !== null);
  const ofLast = [rate((last?.completed ?? 0) / step), rate((last?.failed ?? 0) / step)];
  const ofKnown = [duration(known?.runP50), duration(known?.runP95), duration(known?.waitP95)];
  return html`<div class="columns">
    <${Card}
      title="Jobs per second"
      actions=${html`<${Legend} series=${SPEED} values=${last ? ofLast : ["–", "–"]} />`}
    >
      <${TimeChart}
        label="Jobs completed and failed per second over time"
        series=${SPEED}
        data=${speed}
        ticks=${rateTicks}
        value=${rate}
      />
    <//>
    <${Card} title="Latency" actions=${html`<${Legend} series=${LATENCY} values=${ofKnown} />`}>
      <${TimeChart}
        label="How long jobs ran and waited over time"
        series=${LATENCY}
        data=${latency}
        ticks=${durationTicks}
        value=${duration}
      />
    <//>
  </div>`;
}

/** @param {{ series: readonly { label: string, tone: string }[], values: readonly string[] }} props */
const Legend = ({ series, values }) =>
  html`<div class="legend">
    ${series.map(({ label, tone }, index) => html`<span key=${label} data-tone=${tone}>${label} <b>${values[index]}</b></span>`)}
  </div>`;
