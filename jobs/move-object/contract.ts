import { z } from "zod";
import { defineContract, success } from "../contract.ts";
import { checkCopy, copyAccess, copyFields } from "../copy-input.ts";
import { notCarriedField } from "../../model/attributes/carried.ts";
import { Guarantee, OnOverlap, Verified, WrittenObject } from "../../model/entities.ts";

/** Moves one object, inside a bucket or to another. The source is deleted only after the copy was verified. */
export const moveObject = defineContract({
  name: "move-object",
  summary: "Move an object: copy, verify, delete the source",
  input: z
    .strictObject({
      ...copyFields,
      minVerify: Verified.default("size").meta({
        description: "The weakest proof on which the source may be deleted; below it both are kept and the job fails",
      }),
      // Two moves that cross would delete the only copy.
      onOverlap: OnOverlap.default("wait"),
    })
    .superRefine(checkCopy),
  result: z.strictObject({
    success,
    object: WrittenObject.meta({ description: "The object at the destination" }),
    skipped: z.boolean().meta({
      description: "True where `onConflict` said to leave the destination as it is; the source is then kept",
    }),
    verified: Verified.optional(),
    guarantee: Guarantee.optional(),
    notCarried: notCarriedField,
  }),
  access: copyAccess,
});
