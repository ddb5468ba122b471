import { z } from "zod";
import { defineContract, withCredentials } from "../contract.ts";
import { BucketName } from "../../model/entities.ts";
import { Region } from "../../model/region.ts";

/** Deletes an empty bucket. One that holds anything is refused with S3's own `BucketNotEmpty`. */
export const deleteBucket = defineContract({
  name: "delete-bucket",
  summary: "Delete an empty bucket",
  input: z.strictObject({ ...withCredentials, bucket: BucketName, region: Region.optional() }),
  result: z.strictObject({ success: z.literal(true) }),
  access: ({ credentials, bucket }) => [{ credentials, bucket }],
});
