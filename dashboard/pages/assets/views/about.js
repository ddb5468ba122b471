/** @import { About, Overview } from "../../answers.ts" */
/** @import { Resource } from "../core/resource.js" */
import { to } from "../core/base.js";
import { bytes, count, duration, zone } from "../core/format.js";
import { html } from "../core/html.js";
import { printable } from "../core/printable.js";
import { useResource } from "../core/resource.js";
import { useOverview } from "../core/live.js";
import { Card, Facts, Failed, Loading, PageHead } from "../parts/layout.js";
import { LiveBadge } from "../parts/live-badge.js";

const PERSISTENCE = {
  aof: "append-only file",
  rdb: "snapshots only",
  none: "none",
  unknown: "the server does not say",
};

/** What this dashboard looks at. */
export function View() {
  const { overview, error } = useOverview();
  /** @type {Resource<About>} */
  const { data: about } = useResource("/api/about");
  return html`<div>
    <${PageHead} name="About" title="About" actions=${html`<${LiveBadge} />`} />
    ${overview ? html`<${Cards} redis=${overview.redis} about=${about} />` : error ? html`<${Failed} error=${error} />` : html`<${Loading} />`}
  </div>`;
}

/** @param {{ redis: Overview["redis"], about: About | undefined }} props */
const Cards = ({ redis, about }) =>
  html`<div class="columns">
    <${Card} title="Redis">
      <div class="card-body">
        <${Facts}
          rows=${[
            about && ["Where", html`<span class="mono break">${printable(about.redis)}</span>`],
            about && ["Prefix", html`<span class="mono break">${printable(about.prefix)}</span>`],
            ["Version", redis.version],
            [
              "Memory",
              redis.maxMemory > 0
                ? `${bytes(redis.usedMemory)} of ${bytes(redis.maxMemory)}`
                : `${bytes(redis.usedMemory)}, no limit`,
            ],
            ["Eviction", redis.evictionPolicy],
            ["Persistence", PERSISTENCE[redis.persistence]],
            ["Clients", count(redis.connectedClients)],
            ["Up", duration(redis.uptimeSeconds * 1000)],
          ]}
        />
      </div>
    <//>
    <${Card} title="This dashboard">
      <div class="card-body">
        <${Facts}
          rows=${[
            about?.environment && ["Environment", printable(about.environment)],
            about && ["Bucketline", `${about.version}, on Node.js ${about.node}`],
            about && ["Documents", html`<span class="mono break">${printable(about.documents)}</span>`],
            about && ["Changes", about.readOnly ? "nobody may change anything" : "operators may"],
            about && ["Sessions", `last ${about.sessionHours} h`],
            ["Times", zone()],
            about?.bullBoard && ["Queues", html`<a href=${to("/queues/")}>bull-board</a>`],
            ["HTTP API", html`<a href=${to("/docs")}>Every route, with its form</a>`],
          ]}
        />
      </div>
    <//>
  </div>`;
