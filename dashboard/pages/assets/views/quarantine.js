import { get, remove } from "../api.js";
import { actionButton, emptyState, h, pageHead } from "../dom.js";
import { count, when } from "../format.js";
import { listen } from "../live.js";

/** Jobs that could not be read. */
export async function show(main, { session, signal }) {
  document.title = "Quarantine · Bucketline";
  const place = h("div", { class: "stack" });
  const load = async () => {
    const { total, jobs } = await get("/api/quarantine", signal);
    if (signal.aborted) return;
    if (total === 0) {
      place.replaceChildren(
        h(
          "section",
          { class: "card" },
          emptyState(
            "check",
            "No job is in quarantine",
            h(
              "p",
              {},
              "Jobs that are not JSON are put here instead of breaking the queue. Only a program that writes into Redis by itself can make one.",
            ),
          ),
        ),
      );
      return;
    }
    const note = h(
      "p",
      { class: "muted" },
      `${count(total)} ${total === 1 ? "job was" : "jobs were"} put aside, because a program wrote into Redis what is not JSON. They are among the failed jobs, too.`,
    );
    place.replaceChildren(note, ...jobs.map((job) => entry(job, session, load)));
  };
  await load();
  if (signal.aborted) return;
  main.replaceChildren(pageHead("Quarantine", { crumbs: [["Jobs", "/jobs"]] }), place);
  let seen;
  listen(
    "overview",
    ({ quarantined }) => {
      if (seen !== undefined && seen !== quarantined) load().catch(() => undefined);
      seen = quarantined;
    },
    signal,
  );
}

function entry({ activity, id, reason, at, raw }, session, load) {
  const path = `${encodeURIComponent(activity)}/${encodeURIComponent(id)}`;
  const forget =
    session.canOperate &&
    actionButton({
      label: "Forget",
      confirm: {
        title: "Forget this job?",
        text: "What was found is deleted. The failed job stays until its time is over.",
      },
      run: async () => {
        await remove(`/api/quarantine/${path}`);
        await load();
      },
      done: "Forgotten.",
    });
  return h(
    "section",
    { class: "card" },
    h(
      "div",
      { class: "card-head" },
      h("h2", {}, h("a", { href: `/jobs/${path}` }, `${activity} / ${id}`)),
      h("div", { class: "actions" }, h("span", { class: "muted" }, at ? when(at) : ""), forget),
    ),
    h(
      "div",
      { class: "card-body stack" },
      h("p", { class: "break" }, reason),
      h("pre", { class: "code", tabindex: "0" }, raw),
    ),
  );
}
