import { createStore } from "./store.js";

/** Nothing heard for so long: the stream is dead, even where the browser has not noticed. */
const SILENT_MS = 6000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8000;
/** A stream that made room for other windows takes its turn again after that. */
const TURN_MS = 5000;

/**
 * `connecting`, `live`, `lost` (the dashboard does not answer), `trouble` (Redis does not) or `resting` (nobody looks).
 * @typedef {"connecting" | "live" | "lost" | "trouble" | "resting"} LiveState
 */

/**
 * The part of an EventSource that is used.
 * @typedef {{ addEventListener(name: string, listener: (event: any) => void): void, close(): void }} Source
 */

/**
 * `open` connects, `signedIn` asks whether the session still holds, `leave` goes to sign in.
 * @typedef {{ open: (query: string) => Source, signedIn: () => Promise<boolean>, leave: () => void, events: readonly string[] }} How
 */

/**
 * How the stream stands now.
 * @typedef {object} Link
 * @property {How} how
 * @property {import("./store.js").Store<LiveState>} state
 * @property {Map<string, Set<(data: any) => void>>} listeners
 * @property {Source | undefined} source
 * @property {string} query
 * @property {number} pause
 * @property {number} heardAt
 * @property {ReturnType<typeof setTimeout> | undefined} retry
 */

/** @param {Link} link */
function disconnect(link) {
  clearTimeout(link.retry);
  link.source?.close();
  link.source = undefined;
}

/** @param {Link} link */
function connect(link) {
  disconnect(link);
  link.heardAt = Date.now();
  const opened = link.how.open(link.query);
  link.source = opened;
  /** @param {LiveState} next */
  const heard = (next) => {
    if (opened !== link.source) return false;
    link.heardAt = Date.now();
    link.pause = FIRST_PAUSE_MS;
    link.state.set(next);
    return true;
  };
  for (const name of link.how.events)
    opened.addEventListener(name, (message) => {
      if (!heard("live")) return;
      const data = JSON.parse(message.data);
      for (const listener of link.listeners.get(name) ?? []) listener(data);
    });
  opened.addEventListener("trouble", () => heard("trouble"));
  opened.addEventListener("end", link.how.leave);
  opened.addEventListener("replaced", () => {
    if (opened !== link.source) return;
    disconnect(link);
    link.retry = setTimeout(() => void reconnect(link), TURN_MS);
  });
  opened.addEventListener("error", () => {
    if (opened === link.source) lost(link);
  });
}

/** Tries again by itself: an EventSource gives up for good where it is answered with an error. @param {Link} link */
function lost(link) {
  disconnect(link);
  link.state.set("lost");
  link.retry = setTimeout(() => void reconnect(link), link.pause);
  link.pause = Math.min(link.pause * 2, LONGEST_PAUSE_MS);
}

/** @param {Link} link */
async function reconnect(link) {
  try {
    if (!(await link.how.signedIn())) return link.how.leave();
    if (link.state.get() !== "resting") connect(link);
  } catch {
    if (link.state.get() !== "resting") lost(link);
  }
}

/**
 * Server-sent events that mend themselves.
 * @param {How} how
 */
export function createLiveStream(how) {
  /** @type {import("./store.js").Store<LiveState>} */
  const state = createStore("connecting");
  /** @type {Link} */
  const link = {
    how,
    state,
    listeners: new Map(),
    source: undefined,
    query: "",
    pause: FIRST_PAUSE_MS,
    heardAt: Date.now(),
    retry: undefined,
  };
  return {
    state,
    /**
     * Calls back with the data of each event of a name. Returns what ends it.
     * @param {string} name
     * @param {(data: any) => void} listener
     */
    listen(name, listener) {
      const all = link.listeners.get(name) ?? new Set();
      link.listeners.set(name, all.add(listener));
      return () => void all.delete(listener);
    },
    /**
     * What the stream carries: it is opened anew only where that changes.
     * @param {string} wanted
     */
    follow(wanted) {
      const same = wanted === link.query && link.source !== undefined;
      link.query = wanted;
      if (!same && state.get() !== "resting") connect(link);
    },
    /** Nobody looks: nothing is sent. */
    rest() {
      disconnect(link);
      state.set("resting");
    },
    /** Somebody looks again. */
    wake() {
      if (state.get() !== "resting") return;
      state.set("connecting");
      connect(link);
    },
    /** To be called now and then. */
    check() {
      if (link.source && Date.now() - link.heardAt > SILENT_MS) lost(link);
    },
    /** The network is back: no need to sit out the pause. */
    retryNow() {
      if (!link.source && state.get() !== "resting") void reconnect(link);
    },
    close: () => disconnect(link),
  };
}
