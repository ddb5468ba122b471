import type { UploadMemory, UploadState } from "../worker/s3/s3.ts";
import type { ChunkWork } from "./chunk-work.ts";

/** What a multipart copy needs to go on at part level, kept with the chunk; a delivery that lost the chunk writes nothing. */
export function uploadMemory({ chunks, delivery }: ChunkWork, index: number, lastAttempt: boolean): UploadMemory {
  const field = `u${index}`;
  return {
    lastAttempt,
    async load() {
      const json = await chunks.recall(delivery, field);
      return json === null ? undefined : (JSON.parse(json) as UploadState); // written by save
    },
    save: async (state) => void (await chunks.remember(delivery, field, JSON.stringify(state))),
    clear: async () => void (await chunks.remember(delivery, field, "")),
  };
}
