import { setTimeout as delay } from "node:timers/promises";
import type { BatchHandle, BatchSpecInput, BatchStatus } from "../../producer/batches.ts";
import type { Producer } from "../../producer/index.ts";

/** Between two looks, in ms: far below what a batch takes. */
const LOOK_MS = 20;
/** Between two lines of progress, in ms. */
const TELL_MS = 10_000;

export type BatchRun = { readonly status: BatchStatus; readonly handle: BatchHandle; readonly seconds: number };

/** Runs a batch to its end, from the call that starts it until its end can be seen. Throws where not all went well. */
export async function runBatch(
  producer: Producer,
  spec: BatchSpecInput,
  tell: (status: BatchStatus) => void = () => {},
): Promise<BatchRun> {
  const started = performance.now();
  let told = started;
  const handle = await producer.batches.start(spec);
  for (;;) {
    await delay(LOOK_MS);
    const status = await handle.status();
    if (performance.now() - told > TELL_MS) {
      told = performance.now();
      tell(status);
    }
    if (status.endedAt === undefined) continue;
    const seconds = (performance.now() - started) / 1000;
    const { state, listed, succeeded, error } = status;
    if (state !== "completed" || succeeded !== listed)
      throw new Error(
        `batch ${status.id} ended ${state} with ${succeeded} of ${listed}: ${JSON.stringify(error ?? status.errors)}`,
      );
    return { status, handle, seconds };
  }
}
