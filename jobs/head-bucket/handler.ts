import { defineHandler } from "../handler.ts";
import { headBucket } from "./contract.ts";

export const headBucketHandler = defineHandler(headBucket, async ({ bucket }, { s3, signal }) => ({
  bucket: await s3.headBucket(bucket, { signal }),
}));
