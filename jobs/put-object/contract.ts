import { z } from "zod";
import { defineContract, withCredentials } from "../contract.ts";
import { attributeFields, BucketName, DocumentPointer, ETag, ObjectKey, WrittenObject } from "../../model/entities.ts";
import { keyProblem } from "../../model/object-key.ts";

/** Uploads a document. The document is removed only after the object was verified, and only if it says so itself. */
export const putObject = defineContract({
  name: "put-object",
  summary: "Upload a document as an object",
  input: z
    .strictObject({
      ...withCredentials,
      bucket: BucketName,
      document: DocumentPointer,
      /** Defaults to the document's name. */
      key: ObjectKey.optional(),
      /** The content type defaults to the document's. */
      ...attributeFields,
      /** `*`: only where no object has the key. */
      ifNoneMatch: z.literal("*").optional(),
      /** Only over the object with this ETag. */
      ifMatch: ETag.optional(),
    })
    .superRefine(({ key, document }, context) => {
      const problem = key === undefined ? keyProblem(document.name) : undefined;
      if (problem !== undefined) context.addIssue({ code: "custom", path: ["document", "name"], message: problem });
    })
    .transform((input) => ({ ...input, key: input.key ?? input.document.name })),
  result: z.strictObject({ success: z.literal(true), object: WrittenObject }),
  access: ({ credentials, bucket, key }) => [{ credentials, bucket, key }],
});
