import { get, goToLogin } from "./api.js";

/** Nothing heard for so long: the stream is dead, even where the browser has not noticed. */
const SILENT_MS = 6000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8000;

const listeners = new Map();
const watchers = new Set();
let source;
let query = "";
let pause = FIRST_PAUSE_MS;
let heardAt = Date.now();
let state = "connecting";
let retry;

function say(next) {
  if (state === next) return;
  state = next;
  for (const watcher of watchers) watcher(state);
}

/** Calls back with `connecting`, `live`, `lost` (the dashboard does not answer) or `trouble` (Redis does not). */
export function watchState(watcher, signal) {
  watchers.add(watcher);
  signal?.addEventListener("abort", () => watchers.delete(watcher));
  watcher(state);
}

/** Calls back with the data of each event of a kind. */
export function listen(event, listener, signal) {
  const all = listeners.get(event) ?? new Set();
  listeners.set(event, all.add(listener));
  signal?.addEventListener("abort", () => all.delete(listener));
}

/** What the stream carries, as a query: it is opened anew only where that changes. */
export function follow(wanted) {
  if (source && wanted === query) return;
  query = wanted;
  open();
}

const EVENTS = ["overview", "throughput", "batches", "batch"];

function open() {
  clearTimeout(retry);
  source?.close();
  heardAt = Date.now();
  source = new EventSource(`/api/events${query}`);
  const opened = source;
  const heard = (next) => {
    if (opened !== source) return;
    heardAt = Date.now();
    pause = FIRST_PAUSE_MS;
    say(next);
  };
  for (const event of EVENTS) {
    source.addEventListener(event, (message) => {
      heard("live");
      const data = JSON.parse(message.data);
      for (const listener of listeners.get(event) ?? []) listener(data);
    });
  }
  source.addEventListener("trouble", () => heard("trouble"));
  source.addEventListener("end", goToLogin);
  source.addEventListener("error", () => {
    if (opened === source) lost();
  });
}

/** Tries again by itself: an EventSource gives up for good where it is answered with an error. */
function lost() {
  source?.close();
  source = undefined;
  say("lost");
  clearTimeout(retry);
  retry = setTimeout(reopen, pause);
  pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
}

async function reopen() {
  try {
    const session = await get("/api/session");
    if (!session.signedIn) return goToLogin();
    open();
  } catch {
    lost();
  }
}

setInterval(() => {
  if (source && Date.now() - heardAt > SILENT_MS) lost();
}, 1000);
addEventListener("online", () => {
  if (!source) void reopen();
});
addEventListener("pagehide", () => source?.close());
