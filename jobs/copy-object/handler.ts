import type { z } from "zod";
import { keepsByLook } from "../../model/entities.ts";
import type { ResultOf } from "../contract.ts";
import { defineHandler, type JobContext } from "../handler.ts";
import { hasOverrides, isSameObject, transfer, type Transferred, written } from "../transfer.ts";
import { copyObject } from "./contract.ts";

export const copyObjectHandler = defineHandler(
  copyObject,
  async (input, context): Promise<ResultOf<typeof copyObject>> => {
    // A named version copied onto its own key restores it; anything else would be a write that changes nothing.
    if (isSameObject(input, context) && !hasOverrides(input) && input.object.versionId === undefined) {
      const object = await context.s3.head(input.object, { signal: context.signal });
      return { success: true, object: written(object), skipped: true, verified: "etag" };
    }
    const done = await copyAlone(input, context);
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

/**
 * Where the store would take a copy over what may not be replaced, the destination is this job's alone from its look to its copy: a move that came in
 * between would have deleted the only other one.
 */
async function copyAlone(input: z.output<typeof copyObject.input>, context: JobContext): Promise<Transferred> {
  const { destination, signal } = context;
  if (!keepsByLook(destination.connection, input.onConflict)) return await transfer(input, context);
  const { bucket, key = input.object.key } = input.destination;
  const objects = [{ connection: destination.connection, bucket, key, role: "fills" as const }];
  return await context.exclusively({ objects, onOverlap: "wait" }, (held) =>
    transfer(input, { ...context, signal: AbortSignal.any([signal, held]) }),
  );
}
