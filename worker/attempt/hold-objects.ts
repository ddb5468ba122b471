import { setTimeout as sleep } from "node:timers/promises";
import type { Exclusively } from "../../jobs/handler.ts";
import { ActivityError } from "../../model/activity-error.ts";
import { startDeadline } from "../../redis/deadline.ts";
import { type LeasedObject, type Leases, leasedBucket } from "../../redis/leases.ts";

/** A lease runs out so long after it was last renewed: what a store still does of a request that nobody waits for has happened by then. */
const LEASE_MS = 30_000;
/** For so long a job waits in its place; after that it makes room and comes again later. */
const WAIT_MS = 2000;
/** Between two looks whether the way is free. */
const LOOK_MS = { first: 10, most: 250 };

type Options = {
  readonly leases: Leases;
  /** Whom others are told to wait for. */
  readonly holder: string;
  /** Of this run. */
  readonly token: string;
  readonly signal: AbortSignal;
  /** Default {@link LEASE_MS}. */
  readonly leaseMs?: number;
};

/** Gives one run of a job objects to itself, among all jobs and batches that share its Redis. */
export function holdObjects(options: Options): Exclusively {
  const { leases, signal, leaseMs = LEASE_MS } = options;
  const token = options.token.replaceAll(/\s/g, "-");
  return async ({ objects: named, onOverlap }, work) => {
    const objects = named.map(({ connection, bucket, key, role }): LeasedObject => ({
      bucket: leasedBucket(connection, bucket),
      key,
      role,
    }));
    const { sentAt, again } = await take({ ...options, token, leaseMs }, objects, onOverlap);
    const deadline = startDeadline({ lockMs: leaseMs, sentAt, name: options.holder });
    const lost = new AbortController();
    // What this run or an earlier one sent may still take effect at the store, and would hit what comes back.
    let kept = again;
    const keep = (): void => {
      kept = true;
    };
    const renew = async (): Promise<void> => {
      const asked = performance.now();
      if (await leases.renewObjects(objects, token, leaseMs)) deadline.confirm(asked);
      else lost.abort(notOurs(options.holder));
    };
    // Where Redis does not answer, the deadline decides.
    const renewal = setInterval(() => void renew().catch(() => undefined), leaseMs / 4);
    try {
      const confirm = async (): Promise<void> => {
        await renew();
        lost.signal.throwIfAborted();
      };
      const result = await work(AbortSignal.any([deadline.deletes, lost.signal]), { keep, confirm });
      if (!kept) await leases.releaseObjects(objects, token);
      return result;
    } catch (error) {
      // What was cut off may still take effect at the store, so its objects stay taken until the lease runs out; this job gets them again at once.
      if (error instanceof ActivityError && !error.retryable && !signal.aborted && !kept)
        await leases.releaseObjects(objects, token);
      throw error;
    } finally {
      clearInterval(renewal);
      deadline.end();
    }
  };
}

/** Returns when the lease that was granted had been asked for, and whether an earlier run had it until now. */
async function take(
  { leases, holder, token, leaseMs = LEASE_MS, signal }: Options,
  objects: readonly LeasedObject[],
  onOverlap: "wait" | "fail",
): Promise<{ readonly sentAt: number; readonly again: boolean }> {
  const started = performance.now();
  for (let pause = LOOK_MS.first; ; pause = Math.min(2 * pause, LOOK_MS.most)) {
    const sentAt = performance.now();
    const answer = await leases.takeObjects({ objects, holder, token, ttlMs: leaseMs });
    if (answer.held) return { sentAt, again: answer.again };
    if (onOverlap === "fail" || sentAt - started > WAIT_MS)
      throw new ActivityError(
        "Overlap",
        `${holder}: ${answer.by} is at work on its source or destination; expected it to end first`,
        { retryable: onOverlap === "wait" },
      );
    await sleep(pause, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
  }
}

function notOurs(holder: string): ActivityError {
  return new ActivityError("LockLost", `${holder}: another run has its source and destination by now`, {
    retryable: true,
  });
}
