/** @import { ProblemView, Session } from "../../answers.ts" */
/** @import { Resource } from "../core/resource.js" */
/** @import { Route } from "../core/routes.js" */
import { post, withReason } from "../core/api.js";
import { to } from "../core/base.js";
import { count } from "../core/format.js";
import { html } from "../core/html.js";
import { printable } from "../core/printable.js";
import { useResource } from "../core/resource.js";
import { ActList, useActs } from "../parts/acts.js";
import { ActionButton } from "../parts/action-button.js";
import { messageOnly } from "../parts/batches/details.js";
import { Alert, Card, Facts, Failed, Loading, PageHead } from "../parts/layout.js";
import { Message, ObjectName, Time } from "../parts/names.js";
import { GroupActions } from "../parts/problems/group-actions.js";
import { Trend } from "../parts/problems/trend.js";

const AGAIN_MS = 3000;
const CRUMBS = [["Problems", "/problems"]];
/** What a problem is made of, in words. */
const OF = { jobs: "jobs", batches: "batches", "batch-objects": "batches", worker: "worker" };

/** One problem: since when, whom it hits, what it means, and what to do about it. @param {{ route: Route, session: Session }} props */
export function View({ route: { params }, session }) {
  const path = `/api/problems/${encodeURIComponent(params["id"] ?? "")}`;
  /** @type {Resource<ProblemView>} */
  const { data: problem, error, set } = useResource(path, { every: AGAIN_MS });
  if (!problem)
    return html`<div>
      <${PageHead} name="Problem" title="Problem" crumbs=${CRUMBS} />
      ${error ? html`<${Failed} error=${error} />` : html`<${Loading} />`}
    </div>`;
  const title = printable(problem.title);
  const say = async (/** @type {string} */ verb, /** @type {object} */ body) =>
    set(await post(withReason(`${path}/${verb}`, "reason" in body ? String(body.reason) : ""), body));
  return html`<div>
    <${PageHead}
      name=${title}
      title=${html`<bdi>${title}</bdi>`}
      crumbs=${CRUMBS}
      actions=${session.canOperate && html`<${Steering} problem=${problem} say=${say} />`}
    />
    <div class="stack">
      <${Explained} problem=${problem} />
      <div class="columns">
        <${Card} title="What is known"
          ><div class="card-body"><${ProblemFacts} problem=${problem} /></div
        ><//>
        <${Related} problem=${problem} />
      </div>
      <${WhoDidWhat} id=${problem.id} />
    </div>
  </div>`;
}

/** @param {{ id: string }} props */
function WhoDidWhat({ id }) {
  const acts = useActs("problem", id);
  if (acts.length === 0) return null;
  return html`<${Card} title="Who did what"
    ><div class="card-body"><${ActList} acts=${acts} /></div
  ><//>`;
}

/** @param {{ problem: ProblemView, say: (verb: string, body: object) => Promise<unknown> }} props */
function Steering({ problem, say }) {
  const { id, kind, actions, acknowledged, muted } = problem;
  const known = acknowledged || muted;
  const confirm = { title: "Look after it?", text: "Others see that you do, until it happens again.", reason: true };
  return html`<span class="chips">
    <${GroupActions}
      select=${{ problem: id }}
      actions=${actions}
      of=${OF[/** @type {keyof typeof OF} */ (kind)] ?? "things"}
    />
    ${
      known
        ? html`<${ActionButton} label="Reopen" run=${() => say("reopen", {})} done="It counts again." />`
        : html`<span class="chips">
            <${ActionButton}
              label="Acknowledge"
              confirm=${confirm}
              run=${(/** @type {string} */ reason) => say("acknowledge", { reason })}
              done="You look after it."
            />
            <${ActionButton}
              label="Mute 1 h"
              run=${() => say("mute", { minutes: 60 })}
              done="It is muted for an hour."
            />
          </span>`
    }
  </span>`;
}

/** @param {{ problem: ProblemView }} props */
const Explained = ({ problem: { severity, code, message, meaning, remedy } }) =>
  html`<div class="alerts">
    ${message && html`<${Alert} severity=${severity} title=${code ? printable(code) : "What was said"}><${Message} text=${messageOnly({ code, message })} /><//>`}
    ${
      (meaning || remedy) &&
      html`<section class="card advice">
        <div class="card-body">
          ${meaning && html`<p><strong>What it means.</strong> ${meaning}</p>`}
          ${remedy && html`<p><strong>What to do.</strong> ${remedy}</p>`}
        </div>
      </section>`
    }
  </div>`;

/** @param {{ problem: ProblemView }} props */
function ProblemFacts({ problem }) {
  const {
    code,
    activity,
    bucket,
    profile,
    count: times,
    open,
    firstSeen,
    lastSeen,
    trend,
    acknowledged,
    muted,
  } = problem;
  const note = muted ?? acknowledged;
  return html`<${Facts}
    rows=${[
      open !== undefined && ["Still failed", count(open)],
      ["Happened", times === 1 ? "once" : `${count(times)} times`],
      firstSeen && ["First seen", html`<${Time} at=${firstSeen} />`],
      lastSeen && ["Last seen", html`<${Time} at=${lastSeen} />`],
      trend && ["Last 24 hours", html`<${Trend} hours=${trend} />`],
      code && ["Code", html`<span class="mono break">${printable(code)}</span>`],
      activity && [
        "Activity",
        activity.startsWith("batch") ? activity : html`<a href=${to(`/jobs/${activity}`)}>${activity}</a>`,
      ],
      bucket && ["Bucket", html`<span class="mono break">${printable(bucket)}</span>`],
      profile && ["Profile", html`<span class="break">${printable(profile)}</span>`],
      note && [
        muted ? "Muted by" : "Acknowledged by",
        html`<span class="break"
          >${printable(note.by)}, <${Time} at=${note.at} />${note.reason && `: ${printable(note.reason)}`}</span
        >`,
      ],
      muted?.until && ["Muted until", html`<${Time} at=${muted.until} />`],
    ]}
  />`;
}

/** @param {{ problem: ProblemView }} props */
function Related({ problem: { example, related, kind, code, activity, bucket, profile } }) {
  const words = { state: "failed", code, activity, bucket, profile: profile === "sealed" ? undefined : profile };
  const found = new URLSearchParams(Object.entries(words).flatMap(([name, value]) => (value ? [[name, value]] : [])));
  const places = related.length > 0 ? related : example ? [example] : [];
  if (places.length === 0) return null;
  return html`<${Card}
    title=${related.length > 0 ? "Where" : "Newest example"}
    actions=${kind === "jobs" && html`<a href=${to(`/search?${found}`)}>All of them</a>`}
  >
    <ul class="places">
      ${places.map((place) => html`<li key=${place.path}><${ObjectName} text=${place.text} href=${to(place.path)} /></li>`)}
    </ul>
  <//>`;
}
