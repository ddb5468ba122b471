import type { Producer } from "../../../producer/index.ts";
import type { SandboxProcess } from "../../../sandbox/index.ts";
import type { Group } from "./groups.ts";

export const PREFIX = "{bucketline}";

export const TROUBLES = ["kill", "freeze", "demote", "migrate"] as const;
export type Trouble = (typeof TROUBLES)[number];

/** What a round needs around it. */
export type Stage = {
  readonly group: Group;
  readonly sandbox: SandboxProcess;
  readonly producer: Producer;
  readonly dashboardUrl: string;
  readonly healthPorts: readonly number[];
  /** What processes said that ended by themselves. */
  readonly crashes: readonly string[];
};
