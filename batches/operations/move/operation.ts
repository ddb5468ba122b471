import { loadConflicts } from "../../listing/conflicts.ts";
import { checkpoint } from "../../run/checkpoint.ts";
import { keepWhile } from "../../run/keep.ts";
import { type ChunkWork, defineOperation } from "../../run/work.ts";
import { copyObjects } from "../copy/objects.ts";
import { abandonUploads } from "../copy/leftover-uploads.ts";
import { copyRequests } from "../copy/requests.ts";
import { screenDestinations } from "../copy/screen.ts";
import { deleteRequests } from "../delete/requests.ts";
import type { Found } from "../copy/target.ts";
import { copiedIndexes, deleteCopied } from "./delete-copied.ts";
import { proveInherited } from "./inherited.ts";

/** Sources are deleted in rounds of so many, or after so long, so that DeleteObjects stays rare and no copy waits long. */
const DELETE_ROUND = 500;
const DELETE_MS = 10_000;

export const operation = defineOperation({
  screen: screenDestinations,
  // A page of a listing, and one DeleteObjects.
  plan: { perChunk: () => 2, perObject: (work, index) => copyRequests(work, index) + deleteRequests(work) },
  async work(work) {
    await proveInherited(work);
    const conflicts = work.spec.onConflict === "overwrite" ? undefined : await loadConflicts(work);
    await keepWhile(work, () => copyObjects(work, { conflicts, copied }), deletesInRounds());
    if (work.control.halted !== "pause") await deleteCopied(work);
  },
  settle: {
    cutOff: "the source is kept, a copy may be there",
    leftover: "a copy",
    uncertain: ({ outcomes }) => [...outcomes.inherited],
    abandon: abandonUploads,
  },
});

/** The source goes in a round of its own, once the proof is written down. */
function copied({ outcomes }: ChunkWork, index: number, { sourceGone }: Found): void {
  if (sourceGone === true) outcomes.succeeded(index);
}

function deletesInRounds(): (work: ChunkWork) => Promise<void> {
  let deletedAt = Date.now();
  return async (work) => {
    const waiting = copiedIndexes(work).length;
    const due = waiting >= DELETE_ROUND || (waiting > 0 && Date.now() - deletedAt > DELETE_MS);
    if (!due || work.control.halted !== undefined) await checkpoint(work);
    else {
      await deleteCopied(work);
      deletedAt = Date.now();
    }
  };
}
