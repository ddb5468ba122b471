import type { ChunkWork } from "../../run/work.ts";

/** What becomes of an object that the store does not let anybody read before it is restored. */
export function settleArchived({ spec, outcomes }: ChunkWork, index: number, storageClass: string): void {
  const remark = {
    code: "Archived",
    message: `Archived: expected an object that can be read, this one is in ${storageClass}`,
  };
  if (spec.archived === "skip") outcomes.skipped(index, remark);
  else outcomes.failed(index, remark);
}
