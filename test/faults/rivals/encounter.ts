import type { Random } from "../random.ts";

/** How much of it there is. */
export type Size = { readonly objects: number };

/** Somebody or something that gets in the way of moves. Starts what it needs and takes it down again; returns what was not kept. */
export type Rival = {
  readonly name: string;
  run(size: Size, random: Random): Promise<readonly string[]>;
};

export const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `k${String(index).padStart(5, "0")}`);
