/** @import { Job } from "../../answers.ts" */
import { useRef } from "preact/hooks";
import { bytes, duration } from "../core/format.js";
import { html } from "../core/html.js";

/** How far a running job is with its bytes, how fast, and how long it still takes. @param {{ progress: NonNullable<Job["progress"]> }} props */
export function JobProgress({ progress }) {
  const first = useRef(/** @type {{ at: number, bytes: number } | undefined} */ (undefined));
  // Another attempt begins anew.
  if (first.current === undefined || progress.bytes < first.current.bytes)
    first.current = { at: Date.now(), bytes: progress.bytes };
  const share = progress.of === 0 ? 100 : Math.floor((100 * progress.bytes) / progress.of);
  const seconds = (Date.now() - first.current.at) / 1000;
  const rate = seconds > 0 ? (progress.bytes - first.current.bytes) / seconds : 0;
  const left = rate > 0 ? `, ${bytes(rate)}/s, ${duration(((progress.of - progress.bytes) / rate) * 1000)} to go` : "";
  const text = `${share}%: ${bytes(progress.bytes)} of ${bytes(progress.of)}`;
  return html`<div class="stack">
    <div class="bar" role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${share} aria-label=${text}>
      <div class="bar-fill succeeded" style=${{ width: `${share}%` }}></div>
    </div>
    <span class="muted">${text}${left}</span>
  </div>`;
}
