/** @import { ProblemView } from "../../answers.ts" */
/** @import { Resource } from "../core/resource.js" */
/** @import { Route } from "../core/routes.js" */
import { count } from "../core/format.js";
import { html } from "../core/html.js";
import { useResource } from "../core/resource.js";
import { changeQuery } from "../core/router.js";
import { Card, EmptyState, Failed, Loading, PageHead } from "../parts/layout.js";
import { LiveBadge } from "../parts/live-badge.js";
import { ProblemRow } from "../parts/problems/row.js";

const AGAIN_MS = 3000;

/** @typedef {{ open: number, problems: readonly ProblemView[] }} Answer */

/** Everything that needs somebody, what nobody has seen yet first. @param {{ route: Route }} props */
export function View({ route: { query } }) {
  /** @type {Resource<Answer>} */
  const { data, error } = useResource("/api/problems", { every: AGAIN_MS });
  const all = query.get("show") === "all";
  const known = data?.problems.filter(({ acknowledged, muted }) => acknowledged || muted).length ?? 0;
  const shown = data?.problems.filter(({ muted }) => all || !muted) ?? [];
  const muted = (data?.problems.length ?? 0) - (data?.problems.filter((one) => !one.muted).length ?? 0);
  const toggle =
    muted > 0 &&
    html`<button
      class="button"
      type="button"
      aria-pressed=${String(all)}
      onClick=${() => changeQuery({ show: all ? undefined : "all" })}
    >
      ${all ? "Hide" : "Show"} ${count(muted)} muted
    </button>`;
  return html`<div>
    <${PageHead} name="Problems" title="Problems" actions=${html`<${LiveBadge} />${toggle}`} />
    ${!data && (error ? html`<${Failed} error=${error} />` : html`<${Loading} />`)}
    ${data && shown.length === 0 && html`<${Card}><${AllWell} /><//>`}
    ${
      data &&
      shown.length > 0 &&
      html`<div class="stack">
        <p class="muted">
          ${count(data.open)} open${known > 0 ? `, ${count(known)} acknowledged or muted` : ""}. Failures of the last
          week, by what they have in common.
        </p>
        <${Card} class="bare"><${List} problems=${shown} /><//>
      </div>`
    }
  </div>`;
}

const AllWell = () =>
  html`<${EmptyState} icon="check" title="Nothing needs you">
    <p>No job and no batch of the last week is left that failed, every worker said goodbye, and no queue is paused.</p>
  <//>`;

/** @param {{ problems: readonly ProblemView[] }} props */
const List = ({ problems }) =>
  html`<div class="table-wrap">
    <table class="table problems">
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col" class="optional">24 hours</th>
          <th scope="col" class="right">Count</th>
          <th scope="col" class="right optional">Since</th>
          <th scope="col" class="right">Last</th>
        </tr>
      </thead>
      <tbody>
        ${problems.map((problem) => html`<${ProblemRow} key=${problem.id} problem=${problem} />`)}
      </tbody>
    </table>
  </div>`;
