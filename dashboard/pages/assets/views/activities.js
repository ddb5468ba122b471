/** @import { Resource } from "../core/resource.js" */
import { useRef, useState } from "preact/hooks";
import { to } from "../core/base.js";
import { count } from "../core/format.js";
import { html } from "../core/html.js";
import { useOverview } from "../core/live.js";
import { useResource } from "../core/resource.js";
import { get } from "../core/api.js";
import { messageOf } from "../core/dialogs.js";
import { navigate } from "../core/router.js";
import { ActivitiesTable, CHUNKS } from "../parts/activities-table.js";
import { Card, Failed, Loading, PageHead } from "../parts/layout.js";
import { LiveBadge } from "../parts/live-badge.js";

/** @typedef {{ activities: readonly { name: string, summary: string }[] }} Activities */

/** Every activity, what it does, and its jobs by state. */
export function View() {
  const { overview, error } = useOverview();
  /** @type {Resource<Activities>} */
  const { data } = useResource("/api/activities");
  const summaries = new Map(data?.activities.map(({ name, summary }) => [name, summary]));
  summaries.set(CHUNKS, "Chunks of batches, passed from worker to worker");
  const quarantined = overview?.quarantined ?? 0;
  const actions = html`<${LiveBadge} /><${JobSearch} /><a class="button" href=${to("/quarantine")}
      >Quarantine${quarantined > 0 ? ` (${count(quarantined)})` : ""}</a
    >`;
  return html`<div>
    <${PageHead} name="Jobs" title="Jobs" actions=${actions} />
    ${
      overview
        ? html`<${Card} class="bare"><${ActivitiesTable} queues=${overview.queues} summaries=${summaries} /><//>`
        : error
          ? html`<${Failed} error=${error} />`
          : html`<${Loading} />`
    }
  </div>`;
}

/** Finds a job in whatever queue it is. */
function JobSearch() {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [said, setSaid] = useState("");
  const find = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setSaid("");
    const id = input.current?.value.trim() ?? "";
    if (id === "") return;
    try {
      const { jobs } = await get(`/api/jobs?id=${encodeURIComponent(id)}`);
      const [job] = jobs;
      if (job) navigate(`/jobs/${job.activity}/${encodeURIComponent(job.id)}`);
      else setSaid("No job has this id (any more).");
    } catch (error) {
      setSaid(messageOf(error));
    }
  };
  return html`<form class="search" role="search" onSubmit=${find}>
    <input
      ref=${input}
      class="input"
      type="search"
      name="id"
      placeholder="Job id"
      aria-label="Find a job by its id"
      autocomplete="off"
      spellcheck=${false}
    />
    <span class="field-error" role="alert">${said}</span>
  </form>`;
}
