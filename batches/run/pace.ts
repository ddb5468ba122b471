import type { BatchStore } from "../state/store.ts";
import { rest } from "./retry.ts";
import type { ChunkControl } from "./control.ts";

/** Holds a chunk to the batch's objects per second, which all workers share. */
export type Pace = {
  /** Waits for leave to start one object; false where the batch halts before. */
  take(): Promise<boolean>;
  /** Waits for leave to start up to so many; 0 where the batch halts before. */
  takeMany(wanted: number): Promise<number>;
};

/** Leave that is fetched at once: few requests, and little lost where a chunk ends with some left. */
const GROUP = 32;

/** A wait for leave that is long enough to let others have the place, in ms, and how long it stays away at least. */
const WORTH_A_PLACE_MS = 200;
const COME_BACK_MS = 500;

type Paced = {
  readonly batch: string;
  readonly control: ChunkControl;
  readonly signal: AbortSignal;
};

/** The rate may change while a chunk is at work. */
export function createPace(store: BatchStore, { batch, control, signal }: Paced): Pace {
  const held = { left: 0 };
  let asking: Promise<boolean> | undefined;

  const ask = async (): Promise<boolean> => {
    const halt = AbortSignal.any([control.signal, signal]);
    for (;;) {
      const { rate } = control;
      if (rate === undefined) return true;
      const group = Math.max(1, Math.min(GROUP, Math.floor(rate / 4)));
      const { granted, waitMs } = await store.take(batch, rate, group);
      held.left += granted;
      if (held.left > 0) return true;
      // A place at a worker that only waits for the next second is better used by others.
      if (control.crowded && waitMs >= WORTH_A_PLACE_MS) control.giveWay(Math.max(waitMs, COME_BACK_MS));
      if (!(await rest(Math.max(1, waitMs), halt))) return false;
    }
  };
  const take = async (): Promise<boolean> => {
    while (control.rate !== undefined && held.left === 0) {
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      if (!(await asking)) return false;
    }
    if (held.left > 0) held.left--;
    return control.halted === undefined;
  };
  return {
    take,
    async takeMany(wanted) {
      if (!(await take())) return 0;
      if (control.rate === undefined) return wanted;
      const more = Math.min(held.left, wanted - 1);
      held.left -= more;
      return 1 + more;
    },
  };
}
