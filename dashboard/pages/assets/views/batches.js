import { get } from "../api.js";
import { batchRow } from "../batch-parts.js";
import { emptyState, h, icon, keyedList, pageHead } from "../dom.js";
import { liveBadge } from "../live-badge.js";
import { listen } from "../live.js";

const STATES = ["running", "planned", "paused", "completed", "failed", "cancelled"];

/** All batches, newest first, with their progress. */
export async function show(main, { query, session, signal, navigate }) {
  document.title = "Batches · Bucketline";
  const state = STATES.includes(query.get("state")) ? query.get("state") : "";
  const cursor = query.get("cursor") ?? "";
  const list = h("div", {});
  const draw = keyedList(
    list,
    ({ id }) => id,
    (batch) => batchRow(batch),
  );
  const card = h("section", { class: "card" });
  const none = emptyState(
    "batches",
    state ? `No ${state} batch` : "No batch yet",
    h(
      "p",
      {},
      "A batch copies, moves or deletes all objects of a prefix, millions if need be. A dry run counts first and changes nothing.",
    ),
    session.canOperate && h("a", { class: "button primary", href: "/batches/new" }, "Start a batch"),
  );
  const more = h("div", { class: "pager" });
  let shown = [];

  const load = async () => {
    const parameters = new URLSearchParams({ ...(state && { state }), ...(cursor && { cursor }) });
    const page = await get(`/api/batches?${parameters}`, signal);
    if (signal.aborted) return;
    shown = page.batches;
    draw(shown);
    card.replaceChildren(...(shown.length === 0 ? [none] : [list, more]));
    const next = new URLSearchParams({ ...(state && { state }), ...(page.next && { cursor: page.next }) });
    more.hidden = !page.next && !cursor;
    more.replaceChildren(
      cursor ? h("a", { href: "/batches" }, "Newest") : h("span", {}),
      page.next ? h("a", { class: "button small", href: `/batches?${next}` }, "Older") : h("span", {}),
    );
  };
  await load();
  if (signal.aborted) return;
  const filter = h(
    "select",
    { class: "input", "aria-label": "State" },
    h("option", { value: "" }, "All states"),
    ...STATES.map((name) => h("option", { value: name, selected: name === state }, name)),
  );
  filter.addEventListener("change", () => void navigate(`/batches${filter.value ? `?state=${filter.value}` : ""}`));
  const start =
    session.canOperate && h("a", { class: "button primary", href: "/batches/new" }, icon("plus"), "Start a batch");
  main.replaceChildren(pageHead("Batches", { actions: [liveBadge(signal), filter, start].filter(Boolean) }), card);

  let active = "";
  listen(
    "overview",
    ({ batches }) => {
      const fresh = new Map(batches.batches.map((batch) => [batch.id, batch]));
      if (!state) {
        shown = shown.map((batch) => fresh.get(batch.id) ?? batch);
        draw(shown);
      }
      // One that began or ended changes the list itself.
      const now = `${batches.kept} ${batches.total} ${batches.batches.map((batch) => batch.id + batch.state).join()}`;
      if (active !== "" && now !== active) load().catch(() => undefined);
      active = now;
    },
    signal,
  );
}
