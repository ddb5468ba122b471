import { createStore } from "./store.js";

/** Nothing heard for so long: the stream is dead, even where the browser has not noticed. */
const SILENT_MS = 6000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8000;

/**
 * `connecting`, `live`, `lost` (the dashboard does not answer), `trouble` (Redis does not) or `resting` (nobody looks).
 * @typedef {"connecting" | "live" | "lost" | "trouble" | "resting"} LiveState
 */

/**
 * The part of an EventSource that is used.
 * @typedef {{ addEventListener(name: string, listener: (event: any) => void): void, close(): void }} Source
 */

/**
 * Server-sent events that mend themselves. `open` connects, `signedIn` asks whether the session still holds, `leave` goes to sign in.
 * @param {{ open: (query: string) => Source, signedIn: () => Promise<boolean>, leave: () => void, events: readonly string[] }} how
 */
export function createLiveStream({ open, signedIn, leave, events }) {
  /** @type {import("./store.js").Store<LiveState>} */
  const state = createStore("connecting");
  /** @type {Map<string, Set<(data: any) => void>>} */
  const listeners = new Map();
  /** @type {Source | undefined} */
  let source;
  let query = "";
  let pause = FIRST_PAUSE_MS;
  let heardAt = Date.now();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let retry;

  function connect() {
    clearTimeout(retry);
    source?.close();
    heardAt = Date.now();
    const opened = open(query);
    source = opened;
    /** @param {LiveState} next */
    const heard = (next) => {
      if (opened !== source) return false;
      heardAt = Date.now();
      pause = FIRST_PAUSE_MS;
      state.set(next);
      return true;
    };
    for (const name of events)
      opened.addEventListener(name, (message) => {
        if (!heard("live")) return;
        const data = JSON.parse(message.data);
        for (const listener of listeners.get(name) ?? []) listener(data);
      });
    opened.addEventListener("trouble", () => heard("trouble"));
    opened.addEventListener("end", leave);
    opened.addEventListener("error", () => {
      if (opened === source) lost();
    });
  }

  /** Tries again by itself: an EventSource gives up for good where it is answered with an error. */
  function lost() {
    source?.close();
    source = undefined;
    state.set("lost");
    clearTimeout(retry);
    retry = setTimeout(() => void reconnect(), pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }

  async function reconnect() {
    try {
      if (!(await signedIn())) return leave();
      if (state.get() !== "resting") connect();
    } catch {
      if (state.get() !== "resting") lost();
    }
  }

  return {
    state,
    /**
     * Calls back with the data of each event of a name. Returns what ends it.
     * @param {string} name
     * @param {(data: any) => void} listener
     */
    listen(name, listener) {
      const all = listeners.get(name) ?? new Set();
      listeners.set(name, all.add(listener));
      return () => void all.delete(listener);
    },
    /**
     * What the stream carries: it is opened anew only where that changes.
     * @param {string} wanted
     */
    follow(wanted) {
      const same = wanted === query && source !== undefined;
      query = wanted;
      if (!same && state.get() !== "resting") connect();
    },
    /** Nobody looks: nothing is sent. */
    rest() {
      clearTimeout(retry);
      source?.close();
      source = undefined;
      state.set("resting");
    },
    /** Somebody looks again. */
    wake() {
      if (state.get() !== "resting") return;
      state.set("connecting");
      connect();
    },
    /** To be called now and then. */
    check() {
      if (source && Date.now() - heardAt > SILENT_MS) lost();
    },
    /** The network is back: no need to sit out the pause. */
    retryNow() {
      if (!source && state.get() !== "resting") void reconnect();
    },
    close() {
      clearTimeout(retry);
      source?.close();
    },
  };
}
