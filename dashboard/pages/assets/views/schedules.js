/** @import { ScheduleView, Session } from "../../answers.ts" */
/** @import { Resource } from "../core/resource.js" */
/** @import { Route } from "../core/routes.js" */
import { html } from "../core/html.js";
import { useResource } from "../core/resource.js";
import { Card, EmptyState, Failed, Loading, PageHead } from "../parts/layout.js";
import { LiveBadge } from "../parts/live-badge.js";
import { ScheduleCard } from "../parts/schedules/schedule-card.js";

const AGAIN_MS = 3000;

/** What is asked for again and again, and how its last run ended. @param {{ route: Route, session: Session }} props */
export function View({ route: { query }, session }) {
  /** @type {Resource<{ schedules: readonly ScheduleView[] }>} */
  const { data, error, reload } = useResource("/api/schedules", { every: AGAIN_MS });
  const only = query.get("id");
  const shown = data?.schedules.filter(({ id }) => only === null || id === only) ?? [];
  return html`<div>
    <${PageHead} name="Schedules" title="Schedules" actions=${html`<${LiveBadge} />`} />
    ${!data && (error ? html`<${Failed} error=${error} />` : html`<${Loading} />`)}
    ${data && shown.length === 0 && html`<${Card}><${None} /><//>`}
    <div class="columns">
      ${shown.map((schedule) => html`<${ScheduleCard} key=${`${schedule.queue}/${schedule.id}`} ...${{ schedule, canOperate: session.canOperate, reload }} />`)}
    </div>
  </div>`;
}

const None = () =>
  html`<${EmptyState} icon="clock" title="There is no schedule">
    <p>
      A program or the command line makes one: a job or a batch that is asked for at an interval, or by a cron
      expression.
    </p>
    <pre class="code" tabindex="0">npx bucketline schedules --help</pre>
  <//>`;
