import { Readable } from "node:stream";
import type { ActivityError } from "../../../model/activity-error.ts";
import { type About, toActivityError } from "../../error-mapping.ts";
import { incomplete, silent } from "../../transport/bodies/trouble.ts";

type DownloadBody = {
  readonly source: Readable;
  /** Bytes that were promised. */
  readonly size: number;
  readonly idleTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly about: About;
};

/**
 * The body of an answer, counted: the SDK resolves a short chunked body as if it were whole. The clock runs only while the
 * reader waits for the store, never while the store waits for a slow reader.
 */
export function downloadBody({ source, size, idleTimeoutMs, signal, about }: DownloadBody): Readable {
  let received = 0;
  let timer: NodeJS.Timeout | undefined;
  let asked = false;
  let failure: Error | undefined;

  // Until somebody reads, nobody may be listening, and an error without a listener would end the process.
  const fail = (error: unknown): void => {
    failure ??= error instanceof Error ? error : new Error(String(error));
    if (asked) body.destroy(failure);
    else discard(source);
  };
  const onAbort = (): void => fail(signal.reason);
  const onIdle = (): void => fail(silent(about, idleTimeoutMs));
  const wrong = (got: string): ActivityError => incomplete(about, size, got);
  const stopClock = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };

  const body = new Readable({
    read() {
      asked = true;
      if (failure !== undefined) {
        body.destroy(failure);
        return;
      }
      timer ??= setTimeout(onIdle, idleTimeoutMs);
      source.resume();
    },
    destroy(error, done) {
      stopClock();
      signal.removeEventListener("abort", onAbort);
      discard(source);
      done(error);
    },
  });
  source.pause();
  source.on("data", (chunk: Buffer) => {
    stopClock();
    received += chunk.length;
    if (received > size) return fail(wrong("more"));
    if (!body.push(chunk)) source.pause();
    else timer = setTimeout(onIdle, idleTimeoutMs);
  });
  source.once("end", () => {
    stopClock();
    if (received !== size) fail(wrong(String(received)));
    else body.push(null);
  });
  source.once("error", (error) => fail(toActivityError(error, about)));
  source.once("close", () => {
    if (!source.readableEnded && !body.destroyed) fail(wrong(String(received)));
  });
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  return body;
}

/** Errors of what is thrown away have no reader any more. */
function discard(source: Readable): void {
  source.on("error", () => undefined);
  source.destroy();
}
