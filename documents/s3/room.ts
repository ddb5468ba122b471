import type { StoreLog } from "../store-log.ts";
import type { OwnBucket } from "../../s3/own/bucket.ts";

/** What the parts of the S3 store share. */
export type S3Room = {
  readonly bucket: OwnBucket;
  readonly prefix: string;
  readonly location: string;
  readonly log: StoreLog;
  readonly now: () => number;
};
