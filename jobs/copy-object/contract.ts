import { z } from "zod";
import { defineContract, success } from "../contract.ts";
import { checkCopy, copyAccess, copyFields } from "../copy-input.ts";
import { notCarriedField } from "../../model/attributes/carried.ts";
import { Verified, WrittenObject } from "../../model/entities.ts";

/** Copies an object of any size, complete with metadata, tags, storage class and encryption, and verifies the copy. */
export const copyObject = defineContract({
  name: "copy-object",
  summary: "Copy an object, verified",
  input: z.strictObject(copyFields).superRefine(checkCopy),
  result: z.strictObject({
    success,
    object: WrittenObject.meta({ description: "The object at the destination" }),
    skipped: z.boolean().meta({ description: "True where `onConflict` said to leave the destination as it is" }),
    verified: Verified.optional(),
    notCarried: notCarriedField,
  }),
  access: copyAccess,
});
