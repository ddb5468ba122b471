import { Transform } from "node:stream";
import type { JobHandle } from "../../producer/index.ts";
import { isWatched } from "./say.ts";
import { durationText, sizeText } from "./size-text.ts";

/** Characters of the bar, where there is room and where there is not. */
const BAR = { most: 30, least: 8 } as const;
/** How often a line is drawn anew, in milliseconds. */
const EVERY_MS = 250;
const CLEAR = "\u001b[K";

type Progress = { readonly bytes: number; readonly of: number };

/** Shows on standard error how far a job is, with its rate and the time to go, where a person looks on. Never rejects. */
export async function showProgress(job: Pick<JobHandle, "progress">, signal: AbortSignal): Promise<void> {
  if (!isWatched()) return;
  const line = progressLine();
  try {
    for await (const progress of job.progress({ signal })) line.show(progress);
  } catch {
    // What is wrong the wait for the result says.
  }
  line.clear();
}

/** Passes bytes on and shows how many of how many went by. `what` says where they go. */
export function showPassing(what: string, of: number): Transform {
  const line = progressLine(what);
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length;
      if (isWatched()) line.show({ bytes, of });
      done(null, chunk);
    },
    final(done) {
      line.clear();
      done();
    },
    destroy(error, done) {
      line.clear();
      done(error);
    },
  });
}

/** A line that is drawn over itself. The rate is that of what came since its first word. */
function progressLine(what = "") {
  let first: { readonly at: number; readonly bytes: number } | undefined;
  let shownAt = -Infinity;
  return {
    show(progress: Progress): void {
      const now = performance.now();
      first ??= { at: now, bytes: progress.bytes };
      if (now - shownAt < EVERY_MS) return;
      shownAt = now;
      const rate = now > first.at ? ((progress.bytes - first.bytes) / (now - first.at)) * 1000 : 0;
      const width = Math.max(40, (process.stderr.columns || 80) - 1);
      const text = `${what}${progressText(progress, rate, width - what.length)}`;
      process.stderr.write(`\r${text.slice(0, width)}${CLEAR}`);
    },
    clear(): void {
      if (shownAt !== -Infinity) process.stderr.write(`\r${CLEAR}`);
      shownAt = -Infinity;
    },
  };
}

/** `[#####.....]  50 %  200 MB of 400 MB  40 MB/s  5 s to go`; `rate` in bytes a second, 0 where it is not known yet. */
export function progressText({ bytes, of }: Progress, rate: number, width = 120): string {
  const share = of === 0 ? 1 : Math.min(1, bytes / of);
  const speed = rate > 0 ? `  ${sizeText(rate)}/s  ${durationText(Math.max(0, of - bytes) / rate)} to go` : "";
  const words = ` ${String(Math.floor(share * 100)).padStart(3)} %  ${sizeText(bytes)} of ${sizeText(of)}${speed}`;
  const room = Math.max(BAR.least, Math.min(BAR.most, width - words.length - "[]".length));
  const done = Math.round(share * room);
  return `[${"#".repeat(done)}${".".repeat(room - done)}]${words}`;
}
