import { checkpoint } from "../../run/checkpoint.ts";
import { openIndexes } from "../../run/objects.ts";
import { type ChunkWork, defineOperation } from "../../run/work.ts";
import { deleteObjects } from "./objects.ts";
import { deleteRequests } from "./requests.ts";

export const operation = defineOperation({
  plan: {
    // A page of a listing, and one DeleteObjects.
    perChunk: () => 2,
    perObject: deleteRequests,
    isExact: ({ manifest }, index) => typeof manifest.versions?.[index] === "string",
  },
  work: deleteAll,
  settle: { cutOff: "it may have been deleted", uncertain: openIndexes },
});

async function deleteAll(work: ChunkWork): Promise<void> {
  const open = openIndexes(work);
  for (let start = 0; start < open.length && work.control.halted === undefined && work.fatal === undefined;) {
    const granted = await work.pace.takeMany(open.length - start);
    if (granted === 0) return;
    await checkpoint(work);
    await deleteObjects(work, open.slice(start, start + granted));
    start += granted;
  }
}
