import { bucketAt, type ChunkManifest, classAt } from "../../state/chunk-manifest.ts";
import { runLanes } from "../lanes.ts";
import { OPEN } from "../outcomes.ts";
import { patiently } from "../patience.ts";
import { isFatal, toError } from "../retry.ts";
import { type ChunkWork, pinAt } from "../work.ts";

/**
 * A confirmed run touches what was planned and nothing else, so objects of which only a name is given are looked at while the plan is made. What is
 * not there, or may not be looked at, is no part of it.
 */
export async function pinManifest(work: ChunkWork): Promise<ChunkManifest> {
  const { manifest } = work;
  const unpinned = namesOnly(work);
  if (unpinned.length === 0) return manifest;
  const [etags, sizes, modified] = [[...manifest.etags], [...manifest.sizes], [...manifest.modified]];
  const classes = [...manifest.keys.keys()].map((index) => classAt(manifest, index));
  const refusals = [...(manifest.refusals ?? [])];
  await runLanes(unpinned, work.concurrency, async (index) => {
    const found = await look(work, index);
    if ("code" in found) refusals.push([index, found.code, found.message]);
    else {
      etags[index] = found.etag;
      sizes[index] = found.size;
      modified[index] = found.lastModified;
      classes[index] = found.storageClass;
    }
    return true;
  });
  return { ...manifest, etags, sizes, modified, classes, ...(refusals.length > 0 && { refusals }) };
}

/** Objects that the plan cannot name exactly as they are. */
function namesOnly(work: ChunkWork): number[] {
  const { manifest, outcomes, operation } = work;
  return [...manifest.keys.keys()].filter((index) => {
    const exact = operation.plan.isExact?.(work, index) === true;
    return outcomes.status[index] === OPEN && !exact && pinAt(work, index) === undefined;
  });
}

/** What is there now, or why it cannot be planned. */
async function look(work: ChunkWork, index: number) {
  const { manifest, source, signal } = work;
  const [bucket, key, versionId] = [bucketAt(manifest, index), manifest.keys[index] ?? "", manifest.versions?.[index]];
  const known = manifest.etags[index] ?? "";
  try {
    const object = { bucket, key, ...(typeof versionId === "string" && { versionId }) };
    const found = await patiently(() => source.head(object, { signal }), signal);
    if (known === "" || known === found.etag) return found;
    const message = `SourceChanged: expected s3://${bucket}/${key} with ETag ${known}, found ${found.etag}`;
    return { code: "SourceChanged", message };
  } catch (thrown) {
    signal.throwIfAborted();
    const error = toError(thrown);
    if (error.retryable || isFatal(error)) throw thrown;
    return { code: error.code, message: `${error.message}; it was no part of the plan` };
  }
}
