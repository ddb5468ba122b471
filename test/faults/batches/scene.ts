import { setTimeout as sleep } from "node:timers/promises";
import type { BatchHandle } from "../../../producer/batches.ts";
import type { Stack } from "../../stack.ts";
import type { BatchRun } from "./run.ts";
import type { Crew } from "./crew.ts";
import type { Goods } from "./goods.ts";
import type { Random } from "../random.ts";

/** What was done to a run, for the figures. */
export type Figures = {
  kills: number;
  redisRestarts: number;
  faults: number;
  overwrites: number;
  duplicates: number;
  pauses: number;
};

export const noFigures = (): Figures => ({
  kills: 0,
  redisRestarts: 0,
  faults: 0,
  overwrites: 0,
  duplicates: 0,
  pauses: 0,
});

/** One batch, its workers and the store, while troubles befall them. */
export type Scene = {
  readonly run: BatchRun;
  readonly stack: Stack;
  readonly crew: Crew;
  readonly goods: Goods;
  readonly batch: BatchHandle;
  readonly figures: Figures;
  /** Aborts when the batch has ended: troubles stop then. */
  readonly over: AbortSignal;
  /** For what a trouble itself saw go wrong. */
  readonly problems: string[];
};

/** Something that goes wrong, again and again until the batch is over. What it plants it removes. */
export type Trouble = (scene: Scene, random: Random) => Promise<void>;

/** Waits; false where the batch ended before. */
export async function elapse(ms: number, over: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal: over });
    return true;
  } catch (error) {
    if (over.aborted) return false;
    throw error;
  }
}

/** Waits until the store has made so many copies; false where the batch ended before. */
export async function untilMoved(scene: Scene, count: number): Promise<boolean> {
  const moved = () => scene.stack.sandbox.count(scene.goods.to);
  while (moved() < count) if (!(await elapse(50, scene.over))) return false;
  return true;
}
