import { z } from "zod";
import { defineContract, withCustomerKey } from "../contract.ts";
import { ByteRange, DocumentPointer, ETag, ObjectDetails, ObjectRef } from "../../model/entities.ts";

/** Downloads an object into a document. The document is verified; the object is left as it is. */
export const getObject = defineContract({
  name: "get-object",
  summary: "Download an object into a document",
  input: z.strictObject({
    ...withCustomerKey,
    object: ObjectRef,
    range: ByteRange.optional().meta({ description: "Only these bytes. Default: all" }),
    ifMatch: ETag.optional().meta({ description: "Only the content with this ETag" }),
    deleteAfterDownload: z.boolean().default(true).meta({ description: "Remove the document once it was read whole" }),
  }),
  result: z.strictObject({ document: DocumentPointer, object: ObjectDetails }),
  access: ({ credentials, object: { bucket, key } }) => [{ credentials, bucket, key }],
});
