/** @import { Overview } from "../../answers.ts" */
import { to } from "../core/base.js";
import { bytes, count, duration, zone } from "../core/format.js";
import { html } from "../core/html.js";
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
  return html`<div>
    <${PageHead} name="About" title="About" actions=${html`<${LiveBadge} />`} />
    ${overview ? html`<${Cards} redis=${overview.redis} />` : error ? html`<${Failed} error=${error} />` : html`<${Loading} />`}
  </div>`;
}

/** @param {{ redis: Overview["redis"] }} props */
const Cards = ({ redis }) =>
  html`<div class="columns">
    <${Card} title="Redis">
      <div class="card-body">
        <${Facts}
          rows=${[
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
    <${Card} title="This page">
      <div class="card-body">
        <${Facts}
          rows=${[
            ["Times", zone()],
            ["Queues", html`<a href=${to("/queues/")}>bull-board</a>`],
            ["HTTP API", html`<a href=${to("/docs")}>Every route, with its form</a>`],
          ]}
        />
      </div>
    <//>
  </div>`;
