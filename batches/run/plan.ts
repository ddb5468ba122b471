import { findExisting } from "../listing/conflicts.ts";
import { bytesOf, classAt, encodeManifest } from "../state/chunk-manifest.ts";
import { OPEN } from "./outcomes.ts";
import { pinManifest } from "./pin-manifest.ts";
import { isArchived, screenObjects } from "./screen.ts";
import { type ChunkWork, Superseded } from "./work.ts";
import { documentTtl, planId } from "../report/segment.ts";

/** CopyObject's limit. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
const MAX_SINGLE_COPY = 5 * 1024 ** 3;
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;
const PART = 64 * 1024 ** 2;

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
  const existing = spec.operation === "delete" ? 0 : (await findExisting(work)).size;
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

function estimate({ manifest, spec, source, destination }: ChunkWork) {
  const { operation } = spec;
  const { multipartThreshold } = destination.connection;
  let archived = 0;
  let over5GiB = 0;
  // One listing, and one DeleteObjects where sources go.
  let requests = operation === "copy" ? 1 : 2;
  for (let index = 0; index < manifest.keys.length; index++) {
    const size = manifest.sizes[index] ?? -1;
    if (isArchived(classAt(manifest, index))) archived++;
    if (size > MAX_SINGLE_COPY) over5GiB++;
    if (operation !== "copy" && !source.connection.conditionalDelete) requests++;
    if (operation === "delete") continue;
    if ((manifest.etags[index] ?? "") === "" || size < 0) requests++;
    requests += size > multipartThreshold ? Math.min(MAX_PARTS, Math.ceil(size / PART)) + 2 : 1;
    if (source !== destination) requests++;
  }
  return { archived, over5GiB, requests };
}
