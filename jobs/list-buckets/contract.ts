import { z } from "zod";
import { defineListContract, withCredentials } from "../contract.ts";
import { Bucket, wellFormed } from "../../model/entities.ts";

/** Lists the buckets of the profile's account, in the order of their names. */
export const listBuckets = defineListContract({
  name: "list-buckets",
  summary: "List the buckets of an account",
  input: z.strictObject({
    ...withCredentials,
    prefix: wellFormed().max(255).optional().meta({ description: "What their names start with. Default: all" }),
  }),
  access: ({ credentials }) => [{ credentials }],
  list: { name: "buckets", entity: Bucket },
});
