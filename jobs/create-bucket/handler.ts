import { defineHandler } from "../handler.ts";
import { createBucket } from "./contract.ts";

export const createBucketHandler = defineHandler(createBucket, async ({ bucket, region }, { s3, signal }) => ({
  success: true,
  bucket: await s3.createBucket({ bucket, region }, { signal }),
}));
