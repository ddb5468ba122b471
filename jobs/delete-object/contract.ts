import { z } from "zod";
import { defineContract, withCredentials } from "../contract.ts";
import { ETag, ObjectRef } from "../../model/entities.ts";

/** Deletes an object, or one version of it. One that is not there counts as deleted, as in S3. */
export const deleteObject = defineContract({
  name: "delete-object",
  summary: "Delete an object",
  input: z.strictObject({
    ...withCredentials,
    object: ObjectRef,
    /** Delete only the content with this ETag. */
    ifMatch: ETag.optional(),
  }),
  result: z.strictObject({
    success: z.literal(true),
    bucket: z.string(),
    key: z.string(),
    /** The version deleted, or the delete marker's own. */
    versionId: z.string().optional(),
    /** True where a versioned bucket only hid the object. */
    deleteMarker: z.boolean(),
  }),
  access: ({ credentials, object: { bucket, key } }) => [{ credentials, bucket, key }],
});
