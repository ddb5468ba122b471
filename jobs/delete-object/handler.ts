import type { ResultOf } from "../contract.ts";
import { defineHandler } from "../handler.ts";
import { deleteObject } from "./contract.ts";

export const deleteObjectHandler = defineHandler(
  deleteObject,
  async ({ object, ifMatch }, { s3, signal, deadline }): Promise<ResultOf<typeof deleteObject>> => {
    deadline.requireDelete();
    const deleted = await s3.delete({ object, ifMatch }, { signal: AbortSignal.any([signal, deadline.deletes]) });
    return { success: true, bucket: object.bucket, key: object.key, ...deleted };
  },
);
