import { OPEN } from "./outcomes.ts";
import { runLanes } from "./lanes.ts";
import { backoff, isFatal, isThrottle, MAX_TRIES, rest, toError } from "./retry.ts";
import { type ChunkWork, Superseded } from "./work.ts";

/** The limiter holds the lane back already; this only keeps one object from asking all the time. */
const THROTTLED = { base: 50, max: 1000 };
/** Waits in a row of one object after which it is worth telling. */
const LONG_WAITS = 8;

export type ObjectWork = {
  /** Default: all that are open. */
  readonly indexes?: readonly number[];
  /** At once. Default: what the worker is set to. */
  readonly lanes?: number;
  /** Brings one object to its outcome, or throws. `last`: whatever fails now is not tried again. */
  readonly attempt: (index: number, last: boolean) => Promise<void>;
};

/** Works on objects one by one, held to the batch's pace, each until it has an outcome or the batch halts. What fails is tried again; throttling costs time only. */
export async function workOnObjects(work: ChunkWork, { indexes, lanes, attempt }: ObjectWork): Promise<void> {
  await runLanes(indexes ?? openIndexes(work), lanes ?? work.concurrency, async (index) => {
    if (work.control.halted !== undefined || work.fatal !== undefined || !(await work.pace.take())) return false;
    await workOnObject(work, index, attempt);
    return true;
  });
}

/** Objects without an outcome. */
export function openIndexes({ outcomes }: Pick<ChunkWork, "outcomes">): number[] {
  const open: number[] = [];
  for (const [index, status] of outcomes.status.entries()) if (status === OPEN) open.push(index);
  return open;
}

async function workOnObject(work: ChunkWork, index: number, attempt: ObjectWork["attempt"]): Promise<void> {
  const { control, outcomes } = work;
  work.started[index] = 1;
  for (let tries = 1, waits = 1; ;) {
    try {
      return await attempt(index, tries >= MAX_TRIES);
    } catch (thrown) {
      if (thrown instanceof Superseded) throw thrown;
      if (work.signal.aborted) return abandoned(work, thrown);
      const error = toError(thrown);
      if (isFatal(error)) {
        work.fatal ??= error;
        return;
      }
      const throttled = isThrottle(error);
      if (!throttled && (!error.retryable || tries++ >= MAX_TRIES)) {
        const { code, message, httpStatus } = error;
        return outcomes.failed(index, { code, message, httpStatus });
      }
      if (throttled && waits % LONG_WAITS === 0) await work.noteTrouble(error);
      const slept = await rest(
        throttled ? backoff(waits++, THROTTLED) : backoff(tries),
        AbortSignal.any([control.signal, work.signal]),
      );
      if (!slept) return work.signal.aborted ? abandoned(work, work.signal.reason) : undefined;
    }
  }
}

/** After a halt what was cut off stays open; any other end of the signal ends the delivery. */
function abandoned({ control }: ChunkWork, reason: unknown): void {
  if (control.halted === undefined) throw reason;
}
