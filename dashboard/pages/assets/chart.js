import uPlot from "../vendor/uplot.js";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Custom properties hold `light-dark()`; a probe tells the colour that is meant now. */
function resolved(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value || colour(name);
}

const charts = new Set();

/** Draws all charts anew: the theme changed. */
export function repaintCharts() {
  for (const chart of charts) chart.rebuild();
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaintCharts);

const part = (value) => String(value).padStart(2, "0");

/** Times of day; with seconds where the marks are closer than a minute. */
function clockLabels(_plot, splits, _axis, _space, increment) {
  return splits.map((seconds) => {
    const at = new Date(seconds * 1000);
    const time = `${part(at.getHours())}:${part(at.getMinutes())}`;
    return increment < 60 ? `${time}:${part(at.getSeconds())}` : time;
  });
}

/** Values without a neighbour, which no line shows: they are drawn as dots, so that a quiet system has something to look at. */
function isolated(plot, series, show) {
  const values = plot.data[series];
  const known = (index) => values[index] !== null && values[index] !== undefined;
  return show ? [...values.keys()].filter((index) => known(index) && !known(index - 1) && !known(index + 1)) : null;
}

/**
 * A line chart over time that fills its element. `series`: `{ label, tone, fill? }`; data is `[seconds, ...values]`.
 * `format` writes a value of the axis.
 */
export function timeChart(element, { label, series, format, signal }) {
  let plot;
  let data = [[], ...series.map(() => [])];

  const options = () => {
    const text = resolved("muted");
    const grid = { stroke: resolved("border"), width: 1 };
    const axis = { stroke: text, font: '11.5px "Inter", sans-serif', grid, ticks: { show: false } };
    return {
      width: element.clientWidth - 16,
      height: element.clientHeight - 6,
      // On the right, half of the longest label of a time.
      padding: [10, 27, 0, 0],
      cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
      legend: { show: false },
      scales: { y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.15 : 1] } },
      axes: [
        { ...axis, size: 28, gap: 8, space: 70, values: clockLabels, grid: { show: false } },
        { ...axis, size: 52, space: 36, values: (_plot, values) => values.map(format) },
      ],
      series: [
        {},
        ...series.map(({ label: name, tone, fill }) => ({
          label: name,
          stroke: resolved(tone),
          width: 1.75,
          points: { show: true, filter: isolated, size: 5, fill: resolved(tone) },
          spanGaps: false,
          ...(fill && { fill: `color-mix(in srgb, ${resolved(tone)} 14%, transparent)` }),
        })),
      ],
    };
  };

  const chart = {
    set: (next) => {
      data = next;
      if (plot) plot.setData(next);
      else chart.rebuild();
    },
    rebuild: () => {
      plot?.destroy();
      plot = element.clientWidth > 0 ? new uPlot(options(), data, element) : undefined;
    },
  };
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", label);
  const resize = new ResizeObserver(() => {
    if (!plot) return chart.rebuild();
    plot.setSize({ width: element.clientWidth - 16, height: element.clientHeight - 6 });
  });
  resize.observe(element);
  charts.add(chart);
  signal.addEventListener("abort", () => {
    charts.delete(chart);
    resize.disconnect();
    plot?.destroy();
  });
  return chart;
}
