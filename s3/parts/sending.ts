import type { Store } from "../store.ts";

/** The last sixth of a large object's parts goes with two thirds of the lines. */
const LAST = 1 / 6;
const LINES_AT_LAST = 2 / 3;

/**
 * How many parts may be under way when this one begins. Towards the end of a large object fewer: more lines win little there, and a break
 * takes what is under way on all of them.
 */
export function linesFor(number: number, { count, concurrency }: { count: number; concurrency: number }): number {
  const last = Math.floor(count * LAST);
  const isLast = last >= concurrency && number > count - last;
  return isLast ? Math.ceil(concurrency * LINES_AT_LAST) : concurrency;
}

/**
 * The parts under way: at most as many as the profile says, and as memory allows beside one of them. One more is read and hashed meanwhile, so
 * that no line waits for its next part.
 */
export function createSending(
  { sending, uploads }: Pick<Store, "sending" | "uploads">,
  partSize: number,
  size: number,
) {
  const { concurrency } = sending;
  const count = Math.ceil(size / partSize);
  const running = new Set<Promise<void>>();
  /** What the next part is read into: the upload's own place, which it always has, or one of those that all share. */
  let place: "own" | "shared" | undefined = "own";
  let ownIsFree = false;
  const take = (): typeof place => {
    if (!ownIsFree) return uploads.tryTake(partSize) ? "shared" : undefined;
    ownIsFree = false;
    return "own";
  };
  const giveBack = (used: typeof place): void => {
    if (used === "own") ownIsFree = true;
    if (used === "shared") uploads.give(partSize);
  };
  return {
    /** Begins to send once a line is free, and returns when there is memory for the next part. */
    async add(number: number, sendOne: () => Promise<void>, controller: AbortController): Promise<void> {
      while (running.size >= linesFor(number, { count, concurrency })) await Promise.race(running);
      if (controller.signal.aborted) return;
      const mine = place;
      const run = async (): Promise<void> => {
        try {
          await sendOne();
        } catch (error) {
          controller.abort(error);
        }
        giveBack(mine);
      };
      const one = run().finally(() => running.delete(one));
      running.add(one);
      for (place = take(); place === undefined; place = take()) await Promise.race(running);
    },
    async settled(): Promise<void> {
      await Promise.all(running);
      giveBack(place);
      place = undefined;
    },
  };
}
