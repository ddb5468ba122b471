import { z } from "zod";
import { defineListContract, withRequester } from "../contract.ts";
import { BucketName, KeyPrefix, S3Object, wellFormed } from "../../model/entities.ts";

/** Lists the objects of a bucket, in the order of the store (UTF-8 bytes on AWS). Without `limit`: all. */
export const listObjects = defineListContract({
  name: "list-objects",
  summary: "List the objects of a bucket",
  input: z.strictObject({
    ...withRequester,
    bucket: BucketName,
    prefix: KeyPrefix.optional(),
    startAfter: wellFormed().min(1).max(1024).optional().meta({ description: "Only keys after this one" }),
    limit: z.int().positive().optional().meta({ description: "At most so many. Default: all" }),
  }),
  access: ({ credentials, bucket, prefix = "" }) => [{ credentials, bucket, prefix }],
  list: { name: "objects", entity: S3Object },
});
