import { z } from "zod";
import { defineContract, success, withCredentials } from "../contract.ts";
import { Bucket, BucketName } from "../../model/entities.ts";
import { Region } from "../../model/region.ts";

/** Makes a bucket, by default in the profile's region. One that is ours already counts as made. */
export const createBucket = defineContract({
  name: "create-bucket",
  summary: "Create a bucket",
  input: z.strictObject({
    ...withCredentials,
    bucket: BucketName,
    region: Region.optional().meta({ description: "Where it is made. Default: the profile's region" }),
  }),
  result: z.strictObject({ success, bucket: Bucket }),
  access: ({ credentials, bucket }) => [{ credentials, bucket }],
});
