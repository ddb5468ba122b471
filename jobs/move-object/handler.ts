import type { z } from "zod";
import type { ResultOf } from "../contract.ts";
import { keepsByLook } from "../../model/entities.ts";
import { ActivityError } from "../../model/activity-error.ts";
import { defineHandler } from "../handler.ts";
import type { Hold, JobContext } from "../handler.ts";
import {
  hasOverrides,
  isSameObject,
  requireCopyThere,
  requireProof,
  transfer,
  type Transferred,
  written,
} from "../transfer.ts";
import { moveObject } from "./contract.ts";

export const moveObjectHandler = defineHandler(
  moveObject,
  async (input, context): Promise<ResultOf<typeof moveObject>> => {
    if (isSameObject(input, context)) {
      if (hasOverrides(input) || input.object.versionId !== undefined)
        throw new ActivityError(
          "InvalidInput",
          "destination: expected another object than the source; copy-object changes an object in place or restores a version",
          { field: "destination" },
        );
      const object = await context.s3.head(input.object, { signal: context.signal });
      return { success: true, object: written(object), skipped: false, verified: "etag", guarantee: "conditional" };
    }
    const fills = keepsByLook(context.destination.connection, input.onConflict);
    const objects = [
      { connection: context.s3.connection, ...input.object, role: "deletes" as const },
      {
        connection: context.destination.connection,
        bucket: input.destination.bucket,
        key: input.destination.key ?? input.object.key,
        role: fills ? ("fills" as const) : ("writes" as const),
      },
    ];
    const { onOverlap } = input;
    return await context.exclusively({ objects, onOverlap }, (deletes, hold) =>
      move(input, context, { deletes, hold }),
    );
  },
);

type Held = { readonly deletes: AbortSignal; readonly hold: Hold };

async function move(
  input: z.output<typeof moveObject.input>,
  context: JobContext,
  held: Held,
): Promise<ResultOf<typeof moveObject>> {
  const done = await transfer(input, context, { thenDelete: true });
  if (done.skipped) return { success: true, object: done.skipped, skipped: true };
  const { proof } = done;
  // `skip-identical`: as with `skip`, what was there before the job is left alone, at both ends.
  if (done.by === "others") return { success: true, object: written(proof), skipped: true, verified: proof.verified };
  requireProof(proof, input.minVerify);
  if (input.onConflict !== "overwrite") await requireCopyThere(proof, context);
  const guarantee = await deleteSource(done, context, held);
  const { verified, notCarried } = proof;
  const left = notCarried === undefined ? {} : { notCarried: [...notCarried] };
  return { success: true, object: written(proof), skipped: false, verified, guarantee, ...left };
}

/** Deletes what was pinned and nothing else. */
async function deleteSource(
  done: Exclude<Transferred, { skipped: object }>,
  { s3, evidence, signal, deadline }: JobContext,
  { deletes, hold }: Held,
) {
  try {
    await evidence.survives(AbortSignal.any([signal, deadline.deletes, deletes]));
    await hold.confirm();
    deadline.requireDelete();
    const ending = AbortSignal.any([signal, deadline.deletes, deletes]);
    ending.throwIfAborted();
    const { guarantee, cutOff } = await s3.deleteUnchanged(done.pin, { signal: ending });
    if (cutOff) hold.keep();
    return guarantee;
  } catch (error) {
    if (!(error instanceof ActivityError && error.code === "SourceChanged")) throw error;
    // The pinned content is at the destination and no longer here: an earlier run moved it, and what lies here now came later.
    if (done.by === "earlier-attempt") return "best-effort";
    // Both are there and differ: a retry by hand shall start with a new pin.
    await evidence.forget();
    throw error;
  }
}
