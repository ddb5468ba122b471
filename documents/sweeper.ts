import type { DocumentStore } from "./interface.ts";
import { silentLog, type StoreLog } from "./store-log.ts";

export type SweeperOptions = {
  /** Pause between sweeps, in milliseconds; default 300,000. Up to a tenth more by chance, so that many processes do not sweep in step. */
  readonly everyMs?: number;
  readonly log?: StoreLog | undefined;
  /** Ends the sweeper, as `stop` does. */
  readonly signal?: AbortSignal | undefined;
};

export type Sweeper = {
  /** Aborts a sweep under way and waits until nothing runs any more. */
  stop(): Promise<void>;
};

/** Sweeps a store now and then on and on. A sweep that fails is logged, and the next one tries again. Does not keep the process alive. */
export function startSweeper(
  store: DocumentStore,
  { everyMs = 300_000, log = silentLog, signal }: SweeperOptions = {},
): Sweeper {
  const stopping = new AbortController();
  const stopped = signal === undefined ? stopping.signal : AbortSignal.any([stopping.signal, signal]);
  const running = run(store, everyMs, log, stopped);
  return {
    async stop() {
      stopping.abort(new Error("the sweeper was stopped"));
      await running;
    },
  };
}

async function run(store: DocumentStore, everyMs: number, log: StoreLog, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const swept = await store.sweep({ signal });
      if (swept.expired + swept.orphans > 0) log.info({ ...swept, store: store.location }, "documents swept");
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error, store: store.location }, "sweeping documents failed; will try again");
    }
    await pause(everyMs * (1 + Math.random() / 10), signal);
  }
}

/** Ends after the time, or at once on abort. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms).unref();
    signal.addEventListener("abort", end, { once: true });
  });
}
