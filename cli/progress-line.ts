import type { JobHandle } from "../producer/index.ts";
import { isQuiet } from "./say.ts";
import { sizeText } from "./size-text.ts";

const WIDTH = 30;

/** Shows on standard error how far a job is, with its rate and the time to go, where a person looks on. Never rejects. */
export async function showProgress(job: Pick<JobHandle, "progress">, signal: AbortSignal): Promise<void> {
  if (!process.stderr.isTTY || isQuiet()) return;
  const startedAt = performance.now();
  let shown = false;
  try {
    for await (const progress of job.progress({ signal })) {
      process.stderr.write(`\r${progressText(progress, (performance.now() - startedAt) / 1000)}\u001b[K`);
      shown = true;
    }
  } catch {
    // What is wrong the wait for the result says.
  }
  if (shown) process.stderr.write("\r\u001b[K");
}

/** `[#####.....]  50 %  200 MB of 400 MB  40 MB/s  5 s to go` */
export function progressText({ bytes, of }: { readonly bytes: number; readonly of: number }, seconds: number): string {
  const share = of === 0 ? 1 : Math.min(1, bytes / of);
  const rate = seconds > 0 ? bytes / seconds : 0;
  const done = Math.round(share * WIDTH);
  const bar = `[${"#".repeat(done)}${".".repeat(WIDTH - done)}]`;
  const left = rate > 0 ? `  ${Math.ceil((of - bytes) / rate)} s to go` : "";
  return `${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${sizeText(bytes)} of ${sizeText(of)}  ${sizeText(rate)}/s${left}`;
}
