import { partsAbove } from "../../../credentials/connection.ts";
import type { UploadMemory, UploadState } from "../../../s3/interface.ts";
import { runLanes } from "../../run/lanes.ts";
import { OPEN } from "../../run/outcomes.ts";
import { type ChunkWork, destinationKeyAt, Superseded } from "../../run/work.ts";

/** Uploads that are removed at once. */
const LANES = 4;

/** What a multipart copy needs to go on at part level, kept with the chunk; a delivery that lost the chunk writes nothing. */
export function uploadMemory(
  { chunks, delivery }: Pick<ChunkWork, "chunks" | "delivery">,
  index: number,
  lastAttempt: boolean,
): UploadMemory {
  const field = `u${index}`;
  return {
    lastAttempt,
    async load() {
      const json = await chunks.recall(delivery, field);
      return json === null ? undefined : (JSON.parse(json) as UploadState); // written by save
    },
    async save(state) {
      // Nobody would ever know of an upload that this delivery still began: told so, whoever began it removes it.
      if (!(await chunks.remember(delivery, field, JSON.stringify(state)))) throw new Superseded();
    },
    clear: async () => void (await chunks.remember(delivery, field, "")),
  };
}

/** Where nobody will go on: removes the uploads that deliveries before this one, paused or killed, left with some parts. */
export async function abandonUploads(work: ChunkWork): Promise<void> {
  const { spec, manifest, outcomes, source, destination, started } = work;
  const sizeAt = (index: number): number => outcomes.pins.get(index)?.size ?? manifest.sizes[index] ?? 0;
  const least = partsAbove(destination.connection, source === destination ? "copied" : "sent");
  const large = [...manifest.keys.keys()].filter((index) => outcomes.status[index] === OPEN && sizeAt(index) > least);
  await runLanes(large, LANES, async (index) => {
    const memory = uploadMemory(work, index, true);
    const left = await memory.load();
    if (left === undefined) return true;
    started[index] = 1;
    const target = { bucket: spec.destination?.bucket ?? "", key: destinationKeyAt(work, index) ?? "" };
    await destination.abandonUpload({ ...target, uploadId: left.uploadId });
    await memory.clear();
    return true;
  });
}
