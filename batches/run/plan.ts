import { findExisting } from "../listing/conflicts.ts";
import { bytesOf, classAt, encodeManifest } from "../state/chunk-manifest.ts";
import { OPEN } from "./outcomes.ts";
import { pinManifest } from "./pins/manifest.ts";
import { isArchived, screenObjects } from "./screen.ts";
import { type ChunkWork, Superseded } from "./work.ts";
import { documentTtl, planId } from "../report/segment.ts";

/** CopyObject's limit. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
const MAX_SINGLE_COPY = 5 * 1024 ** 3;
/**
 * A chunk of a dry run: counts what would happen, and writes its manifest to the document store, where the confirmed run reads it.
 * Collisions are counted by listing the destination beside the source.
 *
 * @throws Superseded where another delivery has the chunk
 */
export async function planChunk(work: ChunkWork): Promise<void> {
  const { spec, chunks, delivery, documents, outcomes, ending } = work;
  const { archived, over5GiB, requests } = estimate(work);
  screenObjects(work);
  const open = outcomes.count(OPEN);
  const existing = spec.destination === undefined ? 0 : (await findExisting(work)).size;
  const manifest = await pinManifest(work);
  await documents.write(await encodeManifest(manifest), {
    id: planId(delivery.ref),
    name: `plan of batch ${work.batch}, chunk ${delivery.ref.chain}-${delivery.ref.n}`,
    ttl: documentTtl(spec),
    deleteAfterDownload: false,
    signal: ending,
  });
  const objects = manifest.keys.length;
  const counters = { objects, bytes: bytesOf(manifest), collisions: existing, over5GiB, archived, requests };
  const unfit = objects - open + (manifest.refusals?.length ?? 0) - (work.manifest.refusals?.length ?? 0);
  const state = await chunks.finishPlan(delivery, { ...counters, refused: Math.max(0, unfit) });
  if (state === "superseded") throw new Superseded();
}

function estimate(work: ChunkWork) {
  const { manifest } = work;
  const { perChunk, perObject } = work.operation.plan;
  let archived = 0;
  let over5GiB = 0;
  let requests = perChunk(work);
  for (let index = 0; index < manifest.keys.length; index++) {
    if (isArchived(classAt(manifest, index))) archived++;
    if ((manifest.sizes[index] ?? -1) > MAX_SINGLE_COPY) over5GiB++;
    requests += perObject(work, index);
  }
  return { archived, over5GiB, requests };
}
