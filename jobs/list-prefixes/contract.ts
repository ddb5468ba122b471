import { z } from "zod";
import { defineListContract, withRequester } from "../contract.ts";
import { BucketName, KeyPrefix, Prefix, wellFormed } from "../../model/entities.ts";

/** Lists the prefixes ("folders") of a bucket, one level or, with `recursive`, all below. */
export const listPrefixes = defineListContract({
  name: "list-prefixes",
  summary: "List the prefixes (folders) of a bucket",
  input: z.strictObject({
    ...withRequester,
    bucket: BucketName,
    prefix: KeyPrefix.optional(),
    delimiter: wellFormed().min(1).max(64).default("/").meta({ description: "What ends a level of the keys" }),
    recursive: z.boolean().default(false).meta({ description: "All levels below, not only the next one" }),
  }),
  access: ({ credentials, bucket, prefix = "" }) => [{ credentials, bucket, prefix }],
  list: { name: "prefixes", entity: Prefix },
});
