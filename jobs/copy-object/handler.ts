import type { ResultOf } from "../contract.ts";
import { defineHandler } from "../handler.ts";
import { hasOverrides, isSameObject, transfer, written } from "../transfer.ts";
import { copyObject } from "./contract.ts";

export const copyObjectHandler = defineHandler(
  copyObject,
  async (input, context): Promise<ResultOf<typeof copyObject>> => {
    // A named version copied onto its own key restores it; anything else would be a write that changes nothing.
    if (isSameObject(input, context) && !hasOverrides(input) && input.object.versionId === undefined) {
      const object = await context.s3.head(input.object, { signal: context.signal });
      return { success: true, object: written(object), skipped: true, verified: "etag" };
    }
    const done = await transfer(input, context);
    if (done.skipped) return { success: true, object: done.skipped, skipped: true };
    const { proof, by } = done;
    const { verified, notCarried } = proof;
    return {
      success: true,
      object: written(proof),
      skipped: by === "others",
      verified,
      ...(notCarried !== undefined && { notCarried: [...notCarried] }),
    };
  },
);
