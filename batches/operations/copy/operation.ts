import { loadConflicts } from "../../listing/conflicts.ts";
import { keepWhile } from "../../run/keep.ts";
import { type ChunkWork, defineOperation } from "../../run/work.ts";
import { copyObjects } from "./objects.ts";
import { abandonUploads } from "./leftover-uploads.ts";
import { copyRequests } from "./requests.ts";
import { screenDestinations } from "./screen.ts";

export const operation = defineOperation({
  screen: screenDestinations,
  // Each chunk is a page of a listing.
  plan: { perChunk: () => 1, perObject: copyRequests },
  async work(work) {
    const conflicts = work.spec.onConflict === "overwrite" ? undefined : await loadConflicts(work);
    await keepWhile(work, () => copyObjects(work, { conflicts, copied }));
  },
  settle: {
    cutOff: "the source is kept, a copy may be there",
    leftover: "a copy",
    uncertain: () => [],
    abandon: abandonUploads,
  },
});

function copied({ outcomes }: ChunkWork, index: number): void {
  outcomes.succeeded(index);
}
