import { z } from "zod";
import { defineContract } from "../contract.ts";
import { copyAccess, copyFields } from "../copy-input.ts";
import { Guarantee, OnOverlap, Verified, WrittenObject } from "../../model/entities.ts";

/** Moves one object, inside a bucket or to another. The source is deleted only after the copy was verified. */
export const moveObject = defineContract({
  name: "move-object",
  summary: "Move an object: copy, verify, delete the source",
  input: z.strictObject({
    ...copyFields,
    /** The weakest proof on which the source may be deleted; below it both are kept and the job fails. */
    minVerify: Verified.default("size"),
    /** While another job or batch moves from or to the same objects. Two moves that cross would delete the only copy. */
    onOverlap: OnOverlap.default("wait"),
  }),
  result: z.strictObject({
    success: z.literal(true),
    /** The object at the destination. */
    object: WrittenObject,
    /** True where `onConflict` said to leave the destination as it is; the source is then kept. */
    skipped: z.boolean(),
    verified: Verified.optional(),
    guarantee: Guarantee.optional(),
  }),
  access: copyAccess,
});
