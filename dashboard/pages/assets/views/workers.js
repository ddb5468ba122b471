import { get } from "../api.js";
import { card, emptyState, h, keyedList, pageHead, setText } from "../dom.js";
import { ago, bytes, count, duration } from "../format.js";
import { liveBadge } from "../live-badge.js";
import { listen } from "../live.js";

/** The places for chunks of batches go by another name than their queue. */
const PLACES = { "batch-chunk": "batches" };

/** The workers that are alive: where, what they take, how busy they are. */
export async function show(main, { signal }) {
  document.title = "Workers · Bucketline";
  const list = h("div", { class: "columns" });
  const none = h(
    "section",
    { class: "card" },
    emptyState(
      "workers",
      "No worker is alive",
      h(
        "p",
        {},
        "Jobs wait in Redis until one comes. Start one with the same REDIS_URL and BUCKETLINE_PREFIX as the dashboard:",
      ),
      h("pre", { class: "code" }, "npx bucketline worker"),
    ),
  );
  const drawList = keyedList(list, ({ id }) => id, createCard);
  const draw = ({ workers }) => {
    none.hidden = workers.length > 0;
    list.hidden = workers.length === 0;
    drawList(workers);
  };
  draw(await get("/api/overview", signal));
  if (signal.aborted) return;
  main.replaceChildren(pageHead("Workers", { actions: [liveBadge(signal)] }), none, list);
  listen("overview", draw, signal);
}

function createCard({ id }) {
  const name = h("h2", { class: "break" });
  const fill = h("div", { class: "bar-fill" });
  const busy = h("dd", {});
  const memory = h("dd", {});
  const started = h("dd", {});
  const seen = h("dd", {});
  const activities = h("dd", {}, h("div", { class: "chips" }));
  const facts = h(
    "dl",
    { class: "facts" },
    ...[
      ["Running", busy],
      ["Memory", memory],
      ["Started", started],
      ["Heard of", seen],
      ["Takes", activities],
    ].flatMap(([label, value]) => [h("dt", {}, label), value]),
  );
  const element = card(
    h(
      "div",
      { class: "card-head" },
      name,
      h("div", { class: "actions" }, h("span", { class: "mono faint", title: id }, id.slice(0, 8))),
    ),
    h("div", { class: "card-body stack" }, h("div", { class: "bar", "aria-hidden": "true" }, fill), facts),
  );
  return {
    element,
    update: (worker) => {
      setText(name, `${worker.host} · process ${worker.pid}`);
      const capacity = Object.values(worker.concurrency).reduce((sum, value) => sum + value, 0);
      setText(busy, `${count(worker.running)} of ${count(capacity)}`);
      fill.style.width = `${capacity > 0 ? Math.min(100, (100 * worker.running) / capacity) : 0}%`;
      setText(memory, bytes(worker.memory));
      setText(started, worker.startedAt ? ago(worker.startedAt) : "–");
      setText(seen, worker.seenAt ? `${duration(Date.now() - new Date(worker.seenAt))} ago` : "–");
      const places = worker.activities.map(
        (activity) => `${activity} ${worker.concurrency[PLACES[activity] ?? activity] ?? ""}`,
      );
      const box = activities.firstElementChild;
      if (box.childElementCount !== places.length)
        box.replaceChildren(...places.map((text) => h("span", { class: "chip" }, text)));
    },
  };
}
