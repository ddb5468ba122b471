import { setTimeout as delay } from "node:timers/promises";

/** Takes a sample again and again until stopped. */
export function startSampler<Sample>(everyMs: number, take: () => Promise<Sample>): { stop(): Promise<Sample[]> } {
  const samples: Sample[] = [];
  const stopping = new AbortController();
  const { signal } = stopping;
  const sampling = (async () => {
    while (!signal.aborted) {
      samples.push(await take());
      // Ends early when stopped.
      await delay(everyMs, undefined, { signal }).catch(() => undefined);
    }
  })();
  // Whoever stops it is told.
  sampling.catch(() => undefined);
  return {
    async stop() {
      stopping.abort();
      await sampling;
      return samples;
    },
  };
}
