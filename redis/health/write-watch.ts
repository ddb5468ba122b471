import type { RedisClient } from "../connection/client.ts";
import { lastRefusal } from "../connection/connect.ts";

const LOOK_EVERY_MS = 2000;
/** A write that takes longer is none. */
const ANSWER_WITHIN_MS = 5000;
/** More than the longest pause between two looks; afterwards nothing is left of them. */
const PROBE_TTL_S = 60;

/** Whether Redis takes writes: being connected says little, for a replica, a full server and the wrong node of a cluster answer too. */
export type WriteWatch = {
  /** Why it takes none; undefined while it takes them. */
  trouble(): string | undefined;
  /** Somebody met an error: look now. */
  suspect(): void;
  close(): void;
};

/** Writes a short-lived key every two seconds, and calls back when that begins or ceases to work. */
export function watchWrites(
  client: RedisClient,
  probeKey: string,
  on: { readonly lost: (trouble: string) => void; readonly back: () => void },
): WriteWatch {
  let trouble: string | undefined;
  let looking: Promise<void> | undefined;
  let lookAgainAt = 0;

  const found = (now: string | undefined) => {
    const before = trouble;
    trouble = now;
    if (before === undefined && now !== undefined) on.lost(now);
    if (before !== undefined && now === undefined) on.back();
  };
  const look = async () => {
    // A write that waits for its server is settled by that one, late: its answer is then as good as a new one's.
    const late = setTimeout(
      () => found(lastRefusal(client) ?? `no answer within ${ANSWER_WITHIN_MS / 1000} s`),
      ANSWER_WITHIN_MS,
    );
    try {
      await probeWrite(client, probeKey);
      found(undefined);
    } catch (error) {
      found(error instanceof Error ? error.message : String(error));
    } finally {
      clearTimeout(late);
      looking = undefined;
    }
  };
  const start = () => {
    const refusal = lastRefusal(client, LOOK_EVERY_MS);
    if (refusal !== undefined) found(refusal);
    looking ??= look();
  };
  const timer = setInterval(start, LOOK_EVERY_MS);
  return {
    trouble: () => trouble,
    suspect: () => {
      const now = performance.now();
      if (now < lookAgainAt) return;
      lookAgainAt = now + LOOK_EVERY_MS / 4;
      start();
    },
    close: () => clearInterval(timer),
  };
}

/** Writes a key that goes by itself. Not every server that answers takes it. */
export async function probeWrite(client: RedisClient, probeKey: string): Promise<void> {
  await client.set(probeKey, "1", "EX", PROBE_TTL_S);
}
