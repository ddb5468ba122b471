/** @import { Act, Batch } from "../../../answers.ts" */
/** @import { Point } from "../job-timeline.js" */
import { ENDED } from "../../core/batches/progress.js";
import { count, rate } from "../../core/format.js";
import { html } from "../../core/html.js";
import { printable } from "../../core/printable.js";
import { pointOf, useActs } from "../acts.js";
import { Timeline } from "../job-timeline.js";
import { Card } from "../layout.js";

/** @type {Readonly<Record<string, string>>} */
const ENDS = { completed: "Completed", failed: "Failed", cancelled: "Cancelled" };

/**
 * What happened to a batch by itself: begun, planned, failures, what holds it up, its end.
 * @param {Batch} batch
 * @returns {readonly (Point & { at: string | undefined })[]}
 */
function eventsOf(batch) {
  const { createdAt, startedAt, endedAt, state, error, trouble, failed, firstFailureAt, lastFailureAt, capped } = batch;
  const limit = batch.spec.maxObjectsPerSecond;
  const several = lastFailureAt !== firstFailureAt;
  const ending = capped ? "at its limit" : error ? printable(error.code) : "";
  return [
    { label: "Asked for", at: createdAt, note: limit ? `limit: ${rate(limit)}/s` : "" },
    { label: state === "planned" ? "Dry run began" : "Started", at: startedAt },
    { label: "First failure", at: firstFailureAt, note: several ? "" : `${count(failed)} failed`, bad: true },
    { label: "Newest failure", at: several ? lastFailureAt : undefined, note: `${count(failed)} failed`, bad: true },
    {
      label: `Held up by ${printable(trouble?.code ?? "")}`,
      at: ENDED.includes(state) ? undefined : trouble?.at,
      bad: true,
    },
    { label: ENDS[state] ?? "Ended", at: endedAt, note: ending, bad: state === "failed" },
  ];
}

/** The story of a batch: what happened, and who did what to it. @param {{ batch: Batch }} props */
export function BatchTimeline({ batch }) {
  const acts = useActs("batch", batch.id);
  // Whoever started it is told with that it was asked for.
  const starter = acts.find(({ action }) => action === "batch.start");
  const others = acts.filter((act) => act !== starter);
  const events = eventsOf(batch).map((event) =>
    event.label === "Asked for" && starter ? { ...event, ...askedBy(starter, event.note) } : event,
  );
  return html`<${Card} title="Timeline"
    ><div class="card-body"><${Timeline} start=${batch.createdAt} points=${[...events, ...others.map(pointOf)]} /></div
  ><//>`;
}

/** @param {Act} starter @param {string | undefined} limit */
function askedBy(starter, limit) {
  // What was asked for stands above.
  const { note } = pointOf({ ...starter, detail: undefined });
  return { label: pointOf(starter).label, note: [note, limit].filter(Boolean).join(" · ") };
}
