import type { StoreLog } from "../store-log.ts";

/** What the parts of the file store share. */
export type FileRoom = {
  readonly root: string;
  readonly location: string;
  readonly log: StoreLog;
  readonly now: () => number;
};
