import { defineHandler } from "../handler.ts";
import { deleteBucket } from "./contract.ts";

export const deleteBucketHandler = defineHandler(deleteBucket, async ({ bucket, region }, { s3, signal }) => {
  await s3.deleteBucket({ bucket, region }, { signal });
  return { success: true };
});
