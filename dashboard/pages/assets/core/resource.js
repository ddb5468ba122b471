import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get } from "./api.js";
import { live } from "./live.js";
import { useStore } from "./store.js";

/** Where the first try failed: often enough to be there when the server is. */
const RETRY_MS = 3000;

/**
 * What was asked for, as far as it has come. `error` is of the newest try, which may stand beside older data.
 * @template Data
 * @typedef {{ data: Data | undefined, error: unknown, reload: () => Promise<void>, set: (data: Data) => void }} Resource
 */

/**
 * Asks a route of the API, again every `every` milliseconds where that is given (it may hang on what is known), and again by itself after
 * a failure.
 * @template Data
 * @param {string | undefined} path undefined asks for nothing
 * @param {{ every?: number | undefined | ((data: Data | undefined) => number | undefined) }} [options]
 * @returns {Resource<Data>}
 */
export function useResource(path, { every } = {}) {
  const [state, setState] = useState(
    /** @type {{ path?: string | undefined, data?: Data | undefined, error?: unknown }} */ ({}),
  );
  const connection = useStore(live.state);
  const asked = useRef(0);
  const load = useCallback(
    async (/** @type {AbortSignal | undefined} */ signal) => {
      if (path === undefined) return;
      const turn = ++asked.current;
      try {
        const data = await get(path, signal);
        if (turn === asked.current) setState({ path, data });
      } catch (error) {
        if (signal?.aborted || turn !== asked.current) return;
        // What is known of the same thing stays in sight.
        setState((known) => (known.path === path ? { ...known, error } : { path, error }));
      }
    },
    [path],
  );
  useEffect(() => {
    const leave = new AbortController();
    void load(leave.signal);
    return () => leave.abort();
  }, [load]);
  const failed = state.path === path && state.error !== undefined;
  const current = state.path === path ? state : {};
  const pause = failed ? RETRY_MS : typeof every === "function" ? every(current.data) : every;
  useEffect(() => {
    if (pause === undefined || connection === "resting") return undefined;
    const timer = setInterval(() => void load(undefined), pause);
    return () => clearInterval(timer);
  }, [load, pause, connection === "resting"]);
  useEffect(() => {
    if (failed && connection === "live") void load(undefined);
  }, [connection]);
  return {
    data: current.data,
    error: current.error,
    reload: () => load(undefined),
    set: (data) => {
      asked.current += 1;
      setState({ path, data });
    },
  };
}
