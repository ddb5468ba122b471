import { get } from "../api.js";
import { batchRow } from "../batch-parts.js";
import { card, emptyState, h, icon, keyedList, pageHead, setClass, setText } from "../dom.js";
import { ago, bytes, count, duration, rate, shortCount } from "../format.js";
import { liveBadge } from "../live-badge.js";
import { listen } from "../live.js";
import { throughputCharts } from "../throughput-charts.js";

const CHUNKS = "batch-chunk";

/** Everything at a glance. */
export async function show(main, { signal }) {
  document.title = "Overview · Bucketline";
  const first = get("/api/overview", signal);
  const charts = throughputCharts({ signal });
  const tiles = createTiles();
  const alerts = h("div", { class: "alerts", role: "status" });
  const drawAlerts = keyedList(alerts, ({ code, message }) => code + message, createAlert);
  const table = createTable();
  const workers = createWorkers();
  const redis = createRedis();
  const batches = createBatches();

  const draw = (overview) => {
    tiles.update(overview);
    drawAlerts(overview.warnings);
    alerts.hidden = overview.warnings.length === 0;
    table.update(overview);
    workers.update(overview);
    redis.update(overview);
    batches.update(overview);
  };
  const overview = await first;
  if (signal.aborted) return;
  draw(overview);
  main.replaceChildren(
    pageHead("Overview", { actions: [liveBadge(signal), charts.picker] }),
    h(
      "div",
      { class: "stack" },
      alerts,
      tiles.element,
      charts.element,
      batches.element,
      table.element,
      h("div", { class: "columns" }, workers.element, redis.element),
    ),
  );
  charts.start();
  listen("overview", draw, signal);
}

function tile(label) {
  const value = h("dd", {}, "–");
  const sub = h("dd", { class: "sub" }, "");
  return { element: h("div", { class: "card tile" }, h("dt", {}, label), value, sub), value, sub };
}

function createTiles() {
  const speed = tile("Jobs per second");
  const active = tile("Running");
  const waiting = tile("Waiting");
  const failed = tile("Failed");
  const workers = tile("Workers");
  const memory = tile("Redis memory");
  const all = [speed, active, waiting, failed, workers, memory];
  return {
    element: h("dl", { class: "tiles" }, ...all.map(({ element }) => element)),
    update: ({ queues, workers: alive, redis }) => {
      const activities = queues.filter(({ name }) => name !== CHUNKS);
      const sum = (field) => activities.reduce((total, queue) => total + (queue[field] ?? 0), 0);
      setText(speed.value, rate(sum("completedPerSecond")));
      setText(speed.sub, `${rate(sum("failedPerSecond"))} failing`);
      // Chunks of batches take places as jobs do, here as in the table of workers.
      setText(active.value, shortCount(queues.reduce((total, queue) => total + queue.active, 0)));
      setText(active.sub, `of ${shortCount(alive.reduce((total, worker) => total + placesOf(worker), 0))} places`);
      setText(waiting.value, shortCount(sum("waiting")));
      const oldest = Math.max(0, ...activities.map(({ oldestWaitingMs }) => oldestWaitingMs ?? 0));
      setText(waiting.sub, oldest > 0 ? `oldest ${duration(oldest)}` : `${shortCount(sum("delayed"))} delayed`);
      setText(failed.value, shortCount(sum("failed")));
      setText(failed.sub, "kept for a week");
      setClass(failed.element, "is-danger", sum("failed") > 0);
      setText(workers.value, alive.length);
      setText(
        workers.sub,
        alive.length === 0 ? "none is alive" : bytes(alive.reduce((total, worker) => total + worker.memory, 0)),
      );
      setClass(workers.element, "is-danger", alive.length === 0);
      setText(memory.value, bytes(redis.usedMemory));
      setText(memory.sub, redis.maxMemory > 0 ? `of ${bytes(redis.maxMemory)}` : "no limit set");
    },
  };
}

const placesOf = ({ concurrency }) => Object.values(concurrency).reduce((sum, places) => sum + places, 0);

function createAlert({ severity, message, remedy }) {
  const text = h("div", {}, h("p", {}, h("strong", {}, message)), h("p", {}, remedy));
  return { element: h("div", { class: "alert", "data-severity": severity }, icon("quarantine"), text) };
}

const COLUMNS = [
  { label: "Jobs/s", field: "completedPerSecond", format: rate, extra: "" },
  { label: "Waiting", field: "waiting", format: shortCount, extra: "" },
  { label: "Active", field: "active", format: shortCount, extra: "" },
  { label: "Delayed", field: "delayed", format: shortCount, extra: "optional" },
  { label: "Failed", field: "failed", format: shortCount, extra: "" },
  { label: "Completed", field: "completed", format: shortCount, extra: "optional" },
  { label: "Oldest waiting", field: "oldestWaitingMs", format: duration, extra: "optional" },
];
const STATE_LINKS = {
  waiting: "waiting",
  active: "active",
  delayed: "delayed",
  failed: "failed",
  completed: "completed",
};

function createTable() {
  const body = h("tbody", {});
  const draw = keyedList(body, ({ name }) => name, createRow);
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, "Activity"),
    ...COLUMNS.map(({ label, extra }) => h("th", { scope: "col", class: `right ${extra}` }, label)),
  );
  const element = card(
    h(
      "div",
      { class: "card-head" },
      h("h2", {}, "Activities"),
      h("div", { class: "actions" }, h("a", { href: "/queues/" }, "Open bull-board")),
    ),
    h("div", { class: "table-wrap" }, h("table", { class: "table" }, h("thead", {}, head), body)),
  );
  return { element, update: ({ queues }) => draw(queues) };
}

function createRow({ name }) {
  const cells = COLUMNS.map(({ field, extra }) => {
    const state = STATE_LINKS[field];
    const value = state ? h("a", { href: `/jobs/${name}?state=${state}` }) : h("span", {});
    return { cell: h("td", { class: `right ${extra}` }, value), value };
  });
  const paused = h("span", { class: "chip" }, "paused");
  const label = name === CHUNKS ? "batch chunks" : name;
  const element = h(
    "tr",
    {},
    h("th", { scope: "row" }, h("a", { href: `/jobs/${name}` }, label), " ", paused),
    ...cells.map(({ cell }) => cell),
  );
  return {
    element,
    update: (queue) => {
      paused.hidden = !queue.paused;
      for (const [index, { field, format }] of COLUMNS.entries()) {
        const { value } = cells[index];
        const raw = queue[field];
        setText(value, raw === undefined ? "–" : format(raw));
        setClass(value, "zero", !raw);
        setClass(value, "is-danger-text", field === "failed" && raw > 0);
      }
    },
  };
}

function createBatches() {
  const list = h("div", { class: "table-wrap" });
  const draw = keyedList(list, ({ id }) => id, batchRow);
  const element = card(
    h(
      "div",
      { class: "card-head" },
      h("h2", {}, "Batches at work"),
      h("div", { class: "actions" }, h("a", { href: "/batches" }, "All batches")),
    ),
    list,
  );
  return {
    element,
    update: ({ batches }) => {
      element.hidden = batches.batches.length === 0;
      draw(batches.batches);
    },
  };
}

function createWorkers() {
  const list = h("tbody", {});
  const draw = keyedList(
    list,
    ({ id }) => id,
    () => {
      const name = h("th", { scope: "row" });
      const running = h("td", { class: "right" });
      const memory = h("td", { class: "right" });
      const since = h("td", { class: "right optional" });
      return {
        element: h("tr", {}, name, running, memory, since),
        update: (worker) => {
          setText(name, `${worker.host} · ${worker.pid}`);
          setText(running, `${count(worker.running)} of ${count(placesOf(worker))}`);
          setText(memory, bytes(worker.memory));
          setText(since, worker.startedAt ? ago(worker.startedAt) : "–");
        },
      };
    },
  );
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, "Host · process"),
    ...["Running", "Memory"].map((label) => h("th", { scope: "col", class: "right" }, label)),
    h("th", { scope: "col", class: "right optional" }, "Started"),
  );
  const table = h("div", { class: "table-wrap" }, h("table", { class: "table" }, h("thead", {}, head), list));
  const none = emptyState(
    "workers",
    "No worker is alive",
    h("p", {}, "Jobs wait in Redis until one comes. Start one beside the same Redis:"),
    h("pre", { class: "code" }, "npx bucketline worker"),
  );
  const element = card(
    h(
      "div",
      { class: "card-head" },
      h("h2", {}, "Workers"),
      h("div", { class: "actions" }, h("a", { href: "/workers" }, "All about them")),
    ),
    table,
    none,
  );
  return {
    element,
    update: ({ workers }) => {
      table.hidden = workers.length === 0;
      none.hidden = workers.length > 0;
      draw(workers);
    },
  };
}

const PERSISTENCE = {
  aof: "append-only file",
  rdb: "snapshots only",
  none: "none",
  unknown: "the server does not say",
};

function createRedis() {
  const names = {
    version: "Version",
    memory: "Memory",
    evictionPolicy: "Eviction",
    persistence: "Persistence",
    clients: "Clients",
    uptime: "Up",
  };
  const values = Object.fromEntries(Object.keys(names).map((name) => [name, h("dd", {})]));
  const facts = h(
    "dl",
    { class: "facts" },
    ...Object.entries(names).flatMap(([name, label]) => [h("dt", {}, label), values[name]]),
  );
  return {
    element: card("Redis", h("div", { class: "card-body" }, facts)),
    update: ({ redis }) => {
      setText(values.version, redis.version);
      setText(
        values.memory,
        redis.maxMemory > 0
          ? `${bytes(redis.usedMemory)} of ${bytes(redis.maxMemory)}`
          : `${bytes(redis.usedMemory)}, no limit`,
      );
      setText(values.evictionPolicy, redis.evictionPolicy);
      setText(values.persistence, PERSISTENCE[redis.persistence]);
      setText(values.clients, count(redis.connectedClients));
      setText(values.uptime, duration(redis.uptimeSeconds * 1000));
    },
  };
}
