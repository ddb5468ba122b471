import { z } from "zod";
import { defineContract, success, withCredentials } from "../contract.ts";
import { BucketName } from "../../model/entities.ts";
import { Region } from "../../model/region.ts";

/** Deletes an empty bucket. One that holds anything is refused with S3's own `BucketNotEmpty`. */
export const deleteBucket = defineContract({
  name: "delete-bucket",
  summary: "Delete an empty bucket",
  input: z.strictObject({
    ...withCredentials,
    bucket: BucketName,
    region: Region.optional().meta({ description: "Where it is. Default: the profile's region" }),
  }),
  result: z.strictObject({ success }),
  access: ({ credentials, bucket }) => [{ credentials, bucket }],
});
