import { z } from "zod";
import { defineContract, withCustomerKey } from "../contract.ts";
import { ObjectDetails, ObjectRef } from "../../model/entities.ts";

/** Tells all about an object but its content. */
export const headObject = defineContract({
  name: "head-object",
  summary: "Read an object's metadata",
  input: z.strictObject({ ...withCustomerKey, object: ObjectRef }),
  result: z.strictObject({ object: ObjectDetails }),
  access: ({ credentials, object: { bucket, key } }) => [{ credentials, bucket, key }],
});
