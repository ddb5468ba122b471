import { count } from "../../core/format.js";
import { html } from "../../core/html.js";

const WIDTH = 96;
const HEIGHT = 22;

/** Failures in each of the last 24 hours, as bars; in words for whoever cannot see them. @param {{ hours: readonly number[] | undefined }} props */
export function Trend({ hours }) {
  if (!hours) return html`<span class="muted">–</span>`;
  const most = Math.max(1, ...hours);
  const step = WIDTH / hours.length;
  const text = `${count(hours.at(-1) ?? 0)} in the last hour, ${count(hours.reduce((sum, one) => sum + one, 0))} in the last 24`;
  return html`<svg
    class="trend"
    role="img"
    aria-label=${text}
    width=${WIDTH}
    height=${HEIGHT}
    viewBox=${`0 0 ${WIDTH} ${HEIGHT}`}
  >
    <title>${text}</title>
    ${hours.map((one, hour) => {
      const height = one === 0 ? 1 : Math.max(3, (HEIGHT * one) / most);
      return html`<rect
        key=${hour}
        class=${one === 0 ? "none" : ""}
        x=${hour * step}
        y=${HEIGHT - height}
        width=${step - 1}
        height=${height}
      />`;
    })}
  </svg>`;
}
