import { z } from "zod";
import { defineContract, success, withRequester } from "../contract.ts";
import { ETag, ObjectRef } from "../../model/entities.ts";

/** Deletes an object, or one version of it. One that is not there counts as deleted, as in S3. */
export const deleteObject = defineContract({
  name: "delete-object",
  summary: "Delete an object",
  input: z.strictObject({
    ...withRequester,
    object: ObjectRef,
    ifMatch: ETag.optional().meta({ description: "Delete only the content with this ETag" }),
  }),
  result: z.strictObject({
    success,
    bucket: z.string().meta({ description: "Name of the bucket" }),
    key: z.string().meta({ description: "Key of the object" }),
    versionId: z.string().optional().meta({ description: "The version deleted, or the delete marker's own" }),
    deleteMarker: z.boolean().meta({ description: "True where a versioned bucket only hid the object" }),
  }),
  access: ({ credentials, object: { bucket, key } }) => [{ credentials, bucket, key }],
});
