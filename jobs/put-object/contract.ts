import { z } from "zod";
import { defineContract, refuseLargeHeaders, refuseTwoEncryptions, success, withCustomerKey } from "../contract.ts";
import { BucketName, DocumentPointer, ETag, ObjectKey, WrittenObject } from "../../model/entities.ts";
import { attributeFields, headerProblem } from "../../model/object-attributes.ts";
import { keyProblem } from "../../model/object-key.ts";

/** Uploads a document. The document is removed only after the object was verified, and only if it says so itself. */
export const putObject = defineContract({
  name: "put-object",
  summary: "Upload a document as an object",
  input: z
    .strictObject({
      ...withCustomerKey,
      bucket: BucketName,
      document: DocumentPointer.meta({ description: "What is uploaded" }),
      key: ObjectKey.optional().meta({ description: "Key of the object. Default: the document's name" }),
      ...attributeFields,
      contentType: attributeFields.contentType.meta({ description: "Media type. Default: the document's" }),
      ifNoneMatch: z.literal("*").optional().meta({ description: "Only where no object has the key" }),
      ifMatch: ETag.optional().meta({ description: "Only over the object with this ETag" }),
    })
    .superRefine((input, context) => {
      const { key, document, contentType } = input;
      refuseTwoEncryptions(input, context);
      refuseLargeHeaders({ contentType: document.contentType, ...input }, context);
      const problem = key === undefined ? keyProblem(document.name) : undefined;
      if (problem !== undefined) context.addIssue({ code: "custom", path: ["document", "name"], message: problem });
      const unsendable = contentType === undefined ? headerProblem(document.contentType) : undefined;
      if (unsendable !== undefined)
        context.addIssue({ code: "custom", path: ["document", "contentType"], message: unsendable });
    })
    .transform((input) => ({ ...input, key: input.key ?? input.document.name })),
  result: z.strictObject({ success, object: WrittenObject }),
  access: ({ credentials, bucket, key }) => [{ credentials, bucket, key }],
});
