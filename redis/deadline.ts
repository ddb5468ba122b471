import { ActivityError } from "../model/activity-error.ts";

/** Of the time that a lock lives: nothing is deleted later than this after the last renewal that was confirmed. */
const DELETES_WITHIN = 0.5;

/**
 * For how long a run may still act as the owner of its job, on this process' own monotonic clock. A renewal that never comes back raises nothing,
 * so a worker that is cut off from Redis has to end by itself, before somebody else takes over what it had.
 */
export type Deadline = {
  /** Aborts with `LockLost` once no renewal was confirmed for as long as the lock lives: the run is over. */
  readonly signal: AbortSignal;
  /** Aborts with `LockLost` after half of that: nothing may be deleted any more. Pass it to every request that deletes. */
  readonly deletes: AbortSignal;
  /** Whether something may be deleted now. Reads the clock, so it also holds where timers come late. */
  mayDelete(): boolean;
  /** Throws `LockLost` where nothing may be deleted any more. */
  requireDelete(): void;
  /** A renewal was confirmed. @param sentAt when it was sent, by `performance.now()` */
  confirm(sentAt: number): void;
  /** Stops its timer; the run has ended. */
  end(): void;
};

/**
 * @param lockMs how long the lock lives after a renewal
 * @param sentAt when the lock was asked for, by `performance.now()`
 * @param name of what is locked, for the error
 */
export function startDeadline({
  lockMs,
  sentAt,
  name,
}: {
  readonly lockMs: number;
  readonly sentAt: number;
  readonly name: string;
}): Deadline {
  const run = new AbortController();
  const deletes = new AbortController();
  const deletesMs = lockMs * DELETES_WITHIN;
  let confirmed = sentAt;
  let timer: NodeJS.Timeout | undefined;
  const age = (): number => performance.now() - confirmed;
  const lost = (): ActivityError =>
    new ActivityError("LockLost", `${name}: no renewal of its lock was confirmed for ${Math.round(age())} ms`, {
      retryable: true,
    });
  const look = (): void => {
    if (age() >= deletesMs && !deletes.signal.aborted) deletes.abort(lost());
    if (age() >= lockMs) {
      run.abort(lost());
      return;
    }
    const next = (deletes.signal.aborted ? lockMs : deletesMs) - age();
    timer = setTimeout(look, Math.max(1, Math.ceil(next)));
    timer.unref();
  };
  look();
  const mayDelete = (): boolean => !deletes.signal.aborted && age() < deletesMs;
  return {
    signal: run.signal,
    deletes: deletes.signal,
    mayDelete,
    requireDelete() {
      if (!mayDelete()) throw lost();
    },
    confirm(at) {
      // Answers may come out of order.
      confirmed = Math.max(confirmed, at);
    },
    end: () => clearTimeout(timer),
  };
}
