/** @import { ComponentChildren } from "preact" */
/** @import uPlot from "uplot" */
import { useEffect, useRef, useState } from "preact/hooks";
import { timeOfDay } from "../core/format.js";
import { html } from "../core/html.js";
import { useStore } from "../core/store.js";
import { theme } from "../core/theme-choice.js";

/** @typedef {{ label: string, tone: string, fill?: boolean }} Series */
/** @typedef {[times: number[], ...values: (number | null)[][]]} ChartData */

/** How many rows the table beneath a chart has. */
const TABLE_ROWS = 12;

/** Custom properties hold `light-dark()`; a probe tells the colour that is meant now. @param {string} name */
function resolved(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

const two = (/** @type {number} */ value) => String(value).padStart(2, "0");

/** Times of day; with seconds where the marks are closer than a minute. @param {unknown} _plot @param {number[]} splits @param {number} _axis @param {number} _space @param {number} increment */
function clockLabels(_plot, splits, _axis, _space, increment) {
  return splits.map((seconds) => {
    const at = new Date(seconds * 1000);
    const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
    return increment < 60 ? `${time}:${two(at.getSeconds())}` : time;
  });
}

/** Values without a neighbour, which no line shows: they are drawn as dots, so that a quiet system has something to look at. @param {uPlot} plot @param {number} series @param {boolean} show */
function isolated(plot, series, show) {
  const values = plot.data[series] ?? [];
  const known = (/** @type {number} */ index) => values[index] !== null && values[index] !== undefined;
  if (!show) return null;
  return [...values.keys()].filter((index) => known(index) && !known(index - 1) && !known(index + 1));
}

/**
 * @param {readonly Series[]} series
 * @param {(marks: readonly number[]) => string[]} ticks
 * @param {{ width: number, height: number }} size
 * @returns {uPlot.Options}
 */
function chartOptions(series, ticks, size) {
  const grid = { stroke: resolved("border"), width: 1 };
  // Whole pixels: uPlot multiplies the digits before `px` by the screen's density.
  const axis = { stroke: resolved("muted"), font: '12px "Inter", sans-serif', grid, ticks: { show: false } };
  return {
    ...size,
    // On the right, half of the longest label of a time.
    padding: [10, 27, 0, 0],
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    legend: { show: false },
    scales: { y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.15 : 1] } },
    axes: [
      { ...axis, size: 28, gap: 8, space: 70, values: clockLabels, grid: { show: false } },
      { ...axis, size: 58, space: 36, values: (_plot, marks) => ticks(marks) },
    ],
    series: [
      {},
      ...series.map(({ label, tone, fill }) => ({
        label,
        stroke: resolved(tone),
        width: 1.75,
        points: { show: true, filter: /** @type {never} */ (isolated), size: 5, fill: resolved(tone) },
        spanGaps: false,
        ...(fill && { fill: `color-mix(in srgb, ${resolved(tone)} 14%, transparent)` }),
      })),
    ],
  };
}

const sizeOf = (/** @type {HTMLElement} */ element) => ({
  width: element.clientWidth - 16,
  height: element.clientHeight - 6,
});

/** @type {typeof uPlot | undefined} What draws charts, once it is there. */
let plotter;

/**
 * Loads what draws charts when the first of them comes into sight: what is read is there before.
 * @param {{ readonly current: HTMLElement | null }} box
 */
function usePlotter(box) {
  const [Plot, setPlot] = useState(() => plotter);
  useEffect(() => {
    const element = box.current;
    if (plotter || !element) return undefined;
    let left = false;
    const load = async () => {
      try {
        plotter = (await import("uplot")).default;
      } catch {
        return; // the table beneath shows the same, and the next chart tries again
      }
      if (!left) setPlot(() => plotter);
    };
    const sight = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      sight.disconnect();
      void load();
    });
    sight.observe(element);
    return () => {
      left = true;
      sight.disconnect();
    };
  }, []);
  return Plot;
}

/**
 * A line chart over time that fills its box, and the same as a table for whoever cannot see it.
 * @param {{ label: string, series: readonly Series[], data: ChartData, ticks: (marks: readonly number[]) => string[], value: (value: number) => string }} props
 */
export function TimeChart({ label, series, data, ticks, value }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const plot = useRef(/** @type {uPlot | undefined} */ (undefined));
  const newest = useRef(data);
  newest.current = data;
  const chosen = useStore(theme);
  const Plot = usePlotter(box);
  useEffect(() => {
    const element = box.current;
    if (!element || !Plot) return undefined;
    const rebuild = () => {
      plot.current?.destroy();
      const wide = element.clientWidth > 0;
      plot.current = wide ? new Plot(chartOptions(series, ticks, sizeOf(element)), newest.current, element) : undefined;
    };
    const resize = new ResizeObserver(() => (plot.current ? plot.current.setSize(sizeOf(element)) : rebuild()));
    const system = matchMedia("(prefers-color-scheme: dark)");
    rebuild();
    resize.observe(element);
    system.addEventListener("change", rebuild);
    return () => {
      resize.disconnect();
      system.removeEventListener("change", rebuild);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [chosen, Plot]);
  useEffect(() => plot.current?.setData(data), [data]);
  return html`<div>
    <div class="chart" role="img" aria-label=${label} ref=${box}></div>
    <details class="chart-table">
      <summary>As a table</summary>
      <${ChartTable} ...${{ label, series, data, value }} />
    </details>
  </div>`;
}

/** The newest values. @param {{ label: string, series: readonly Series[], data: ChartData, value: (value: number) => string }} props */
function ChartTable({ label, series, data, value }) {
  const [times, ...columns] = data;
  const rows = [...times.keys()].toReversed().slice(0, TABLE_ROWS);
  const cell = (/** @type {number | null | undefined} */ one) => (one === null || one === undefined ? "–" : value(one));
  return html`<div class="table-wrap">
    <table class="table">
      <caption class="sr">
        ${label}
      </caption>
      <thead>
        <tr>
          <th scope="col">Time</th>
          ${series.map((one) => html`<th key=${one.label} scope="col" class="right">${one.label}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr key=${times[row]}>
              <th scope="row">${timeOfDay((times[row] ?? 0) * 1000)}</th>
              ${columns.map((values, index) => html`<td key=${index} class="right">${cell(values[row])}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
