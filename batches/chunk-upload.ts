import type { UploadMemory, UploadState } from "../worker/s3/s3.ts";
import { type ChunkWork, Superseded } from "./chunk-work.ts";

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
