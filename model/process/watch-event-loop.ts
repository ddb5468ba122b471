import { Worker } from "node:worker_threads";

const DEFAULT_AFTER_MS = 5000;

/** A thread of its own: what blocks the event loop also blocks every timer that would tell of it. Plain text, so that it runs from sources and from dist. */
const WATCHER = `
const { workerData: { beats, afterMs, line } } = require("node:worker_threads");
const { writeSync } = require("node:fs");
const seen = new Int32Array(beats);
let last = -1, since = Date.now(), told = false;
setInterval(() => {
  const now = Date.now(), beat = Atomics.load(seen, 0);
  if (beat !== last) { last = beat; since = now; told = false; return; }
  if (told || now - since < afterMs) return;
  told = true;
  try { writeSync(1, JSON.stringify({ ...line, time: now, blockedMs: now - since }) + "\\n"); } catch {}
}, Math.max(10, afterMs / 10));
`;

/** What the watcher thread writes while the loop hangs; pino's form, at its level "error". */
const LINE = {
  level: 50,
  pid: process.pid,
  msg: "the event loop is blocked: nothing else of this process runs, probes neither",
};

/**
 * Reports a blocked event loop: one line on the standard output while it hangs, written by another thread, and `onRecovered` with how
 * long it took where it comes back. One that hangs for ever fails its liveness probe, and whoever runs the process starts it again.
 *
 * @param options.afterMs milliseconds without a turn of the loop. Default 5,000
 * @returns ends the watch
 */
export function watchEventLoop(options: {
  readonly afterMs?: number;
  readonly onRecovered?: (blockedMs: number) => void;
}): () => Promise<void> {
  const { afterMs = DEFAULT_AFTER_MS, onRecovered } = options;
  const beats = new SharedArrayBuffer(4);
  const beat = new Int32Array(beats);
  const watcher = new Worker(WATCHER, {
    eval: true,
    execArgv: [],
    workerData: { beats, afterMs, line: LINE },
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
  });
  // Without a watcher the process does its work all the same.
  watcher.on("error", () => {});
  watcher.unref();
  const everyMs = Math.max(10, afterMs / 10);
  let last = performance.now();
  const timer = setInterval(() => {
    Atomics.add(beat, 0, 1);
    const now = performance.now();
    if (now - last - everyMs >= afterMs) onRecovered?.(Math.round(now - last));
    last = now;
  }, everyMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await watcher.terminate();
  };
}
