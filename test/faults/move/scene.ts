import type { Sandbox } from "../../../sandbox/index.ts";
import type { Stack } from "../../stack.ts";
import type { MoveCase } from "./cases.ts";

/** Where a case takes place. */
export type Scene = {
  readonly stack: Stack;
  readonly one: MoveCase;
  readonly bucket: string;
  /** Where the copy goes: another sandbox where the route is `across`. */
  readonly target: Sandbox;
};
