import type { StoreLog } from "../store-log.ts";
import type { S3Bucket } from "./bucket.ts";

/** What the parts of the S3 store share. */
export type S3Room = {
  readonly bucket: S3Bucket;
  readonly prefix: string;
  readonly location: string;
  readonly log: StoreLog;
  readonly now: () => number;
};
