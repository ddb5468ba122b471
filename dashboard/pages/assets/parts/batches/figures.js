/** @import { Batch, BatchBucket } from "../../../answers.ts" */
/** @import { ChartData } from "../time-chart.js" */
import { useMemo, useState } from "preact/hooks";
import { doneOf, ENDED, isOpenEnded, shareOf, wholeOf } from "../../core/batches/progress.js";
import { now } from "../../core/clock.js";
import { bytes, count, duration, percent, rate, shortCount, when } from "../../core/format.js";
import { html } from "../../core/html.js";
import { useLive } from "../../core/live.js";
import { rateTicks } from "../../core/ticks.js";
import { ProgressBar } from "./row.js";
import { Card, Facts } from "../layout.js";
import { Time } from "../names.js";
import { Tile } from "../tile.js";
import { TimeChart } from "../time-chart.js";

const SPAN_S = 3600;
const STEP_S = 5;
const SPEED = [{ label: "objects", tone: "accent", fill: true }];

/** @param {Batch} batch */
function headline(batch) {
  const done = doneOf(batch);
  const whole = wholeOf(batch);
  const share = shareOf(batch);
  if (share !== undefined) return [`${share}%`, `${count(done)} of ${count(whole)} objects`];
  if (isOpenEnded(batch)) return [count(done), `of ${count(whole)} objects found so far`];
  if (batch.state === "failed") return ["Stopped", "before it found an object"];
  if (batch.state === "cancelled") return ["Cancelled", "before it found an object"];
  return ["No object", batch.filtered > 0 ? "passed the filter" : "was found"];
}

/** How far a batch is: the bar and its tiles. @param {{ batch: Batch }} props */
export function BatchHead({ batch }) {
  const [big, of] = headline(batch);
  const done = doneOf(batch);
  const begun = batch.startedAt ?? batch.createdAt;
  const end = batch.endedAt === undefined ? now() : Date.parse(batch.endedAt);
  const limit = batch.spec.maxObjectsPerSecond;
  const running = !ENDED.includes(batch.state);
  return html`<div class="stack">
    <section class="card head-card">
      <div class="progress-line">
        <strong>${big}</strong><span class="muted">${of}</span>
        <span class="muted"
          >${batch.etaSeconds === undefined ? "" : `about ${duration(batch.etaSeconds * 1000)} to go`}</span
        >
      </div>
      <${ProgressBar} batch=${batch} big />
    </section>
    <dl class="tiles">
      <${Tile}
        name="Succeeded"
        value=${shortCount(batch.succeeded)}
        sub=${batch.filtered > 0 ? `${shortCount(batch.filtered)} filtered out` : ""}
      />
      <${Tile}
        name="Failed"
        value=${shortCount(batch.failed)}
        danger=${batch.failed > 0}
        sub=${batch.failed > 0 ? `${percent(batch.failed, done)} of tried` : ""}
      />
      <${Tile}
        name="Skipped"
        value=${shortCount(batch.skipped)}
        sub=${batch.unattempted > 0 ? `${shortCount(batch.unattempted)} not attempted` : ""}
      />
      <${Tile}
        name="Data"
        value=${bytes(batch.bytes)}
        sub=${batch.bytesPerSecond > 0 ? `${bytes(batch.bytesPerSecond)}/s` : ""}
      />
      <${Tile}
        name="Speed"
        value=${running ? `${rate(batch.objectsPerSecond)}/s` : `${rate(averageOf(done, begun, end))}/s`}
        sub=${running ? (limit ? `limited to ${rate(limit)}/s` : "objects") : "objects, on average"}
      />
      <${Tile} name="Time" value=${duration(end - Date.parse(begun))} sub=${`since ${when(begun)}`} />
    </dl>
  </div>`;
}

/** @param {number} done @param {string} begun @param {number} end */
const averageOf = (done, begun, end) => done / Math.max(1, (end - Date.parse(begun)) / 1000);

/** What a dry run found out. @param {{ batch: Batch }} props */
export function PlanCard({ batch: { plan, spec } }) {
  if (!plan) return null;
  const copies = spec.destination !== undefined;
  return html`<${Card} title="What would happen">
    <div class="card-body stack">
      <p class="muted">Nothing was changed yet. Confirm to start exactly this.</p>
      <${Facts}
        rows=${[
          ["Objects", count(plan.objects)],
          ["Data", bytes(plan.bytes)],
          copies && ["Already at the destination", count(plan.collisions)],
          copies && ["Above 5 GiB, copied in parts", count(plan.over5GiB)],
          ["Archived, cannot be read", count(plan.archived)],
          ["Cannot be worked on", count(plan.refused)],
          ["Requests, about", count(plan.requests)],
          ["Can be confirmed until", html`<${Time} at=${plan.expiresAt} />`],
        ]}
      />
    </div>
  <//>`;
}

/**
 * Steps without progress are left out of the record: they are zero. The last one is still filling. What ended keeps its last hour.
 * @param {ReadonlyMap<number, number>} known
 * @param {string | undefined} endedAt
 * @returns {ChartData}
 */
function speedData(known, endedAt) {
  const newest = endedAt === undefined ? now() : Date.parse(endedAt);
  const end = Math.floor(newest / 1000 / STEP_S) * STEP_S - (endedAt === undefined ? STEP_S : 0);
  const first = Math.max(Math.min(...known.keys(), end - 60), end - SPAN_S);
  const length = Math.max(2, Math.floor((end - first) / STEP_S) + 1);
  const times = Array.from({ length }, (_, index) => first + index * STEP_S);
  return [times, times.map((at) => (known.get(at) ?? 0) / STEP_S)];
}

/** Objects per second over the last hour. @param {{ batch: Batch, buckets: readonly BatchBucket[] }} props */
export function BatchSpeed({ batch, buckets }) {
  const [fresh, setFresh] = useState(/** @type {ReadonlyMap<number, number>} */ (new Map()));
  const stepOf = (/** @type {BatchBucket} */ bucket) => Math.floor(Date.parse(bucket.at) / 1000 / STEP_S) * STEP_S;
  useLive(
    "batch",
    (event) => {
      if (event.batch.id !== batch.id) return;
      const steps = /** @type {readonly BatchBucket[]} */ (event.buckets);
      setFresh(
        (before) => new Map([...before, ...steps.map((one) => /** @type {const} */ ([stepOf(one), one.objects]))]),
      );
    },
    [batch.id],
  );
  const tick = batch.endedAt ?? Math.floor(now() / 1000 / STEP_S);
  const data = useMemo(() => {
    const steps = buckets.map((one) => /** @type {const} */ ([stepOf(one), one.objects]));
    return speedData(new Map([...steps, ...fresh]), batch.endedAt);
  }, [buckets, fresh, tick]);
  return html`<${Card}
    title=${batch.endedAt ? "Objects per second, its last hour" : "Objects per second, the last hour"}
  >
    <${TimeChart}
      label="Objects per second over an hour"
      series=${SPEED}
      data=${data}
      ticks=${rateTicks}
      value=${rate}
    />
  <//>`;
}
