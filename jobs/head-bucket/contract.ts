import { z } from "zod";
import { defineContract, withCredentials } from "../contract.ts";
import { Bucket, BucketName } from "../../model/entities.ts";

/** Tells whether a bucket is there for these credentials, and its region. */
export const headBucket = defineContract({
  name: "head-bucket",
  summary: "Read a bucket's region",
  input: z.strictObject({ ...withCredentials, bucket: BucketName }),
  result: z.strictObject({ bucket: Bucket }),
  access: ({ credentials, bucket }) => [{ credentials, bucket }],
});
