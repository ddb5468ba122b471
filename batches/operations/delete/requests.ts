import type { ChunkWork } from "../../run/work.ts";

/** Requests for the delete of one object, beside the DeleteObjects that it shares: where the store ignores conditions it is looked at before. */
export function deleteRequests({ source }: ChunkWork): number {
  return source.connection.conditionalDelete ? 0 : 1;
}
