import type { Pin } from "../../../s3/interface.ts";
import { bucketAt } from "../../state/chunk-manifest.ts";
import { keptPin } from "../kept-proofs.ts";
import { type ChunkWork, pinAt } from "../work.ts";

/** The exact content that an object is worked on as. Items and manifests may not tell it: a HEAD does, just before. `undefined`: it was decided upon. */
export async function pinOf(work: ChunkWork, index: number): Promise<Pin | undefined> {
  return pinAt(work, index) ?? (await pinLate(work, index));
}

async function pinLate(work: ChunkWork, index: number): Promise<Pin | undefined> {
  const { manifest, outcomes, source, signal } = work;
  const bucket = bucketAt(manifest, index);
  const key = manifest.keys[index] ?? "";
  const named = manifest.versions?.[index];
  const object = { bucket, key, ...(typeof named === "string" && { versionId: named }) };
  const found = await source.head(object, { signal }).catch((error: unknown) => keptPin(work, index, error));
  const expected = manifest.etags[index] ?? "";
  if (expected !== "" && expected !== found.etag) {
    const message = `SourceChanged: expected s3://${bucket}/${key} with ETag ${expected}, found ${found.etag}`;
    outcomes.failed(index, { code: "SourceChanged", message, httpStatus: 412 });
    return undefined;
  }
  const { etag, size, lastModified, storageClass, versionId } = found;
  outcomes.pins.set(index, { etag, size, lastModified, storageClass, ...(versionId !== undefined && { versionId }) });
  return pinAt(work, index);
}
