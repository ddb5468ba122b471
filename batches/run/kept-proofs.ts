import { text } from "node:stream/consumers";
import { ActivityError } from "../../model/activity-error.ts";
import type { CopyProof, Pin } from "../../s3/interface.ts";
import type { Verified } from "../../model/entities.ts";
import type { Target } from "../operations/copy/target.ts";
import { COPIED, type LatePin, SUCCEEDED } from "./outcomes.ts";
import type { ChunkWork } from "./work.ts";

/*
 * A checkpoint is in Redis, and Redis may go back in time. Most copies prove themselves once more: their ETag is the one that the listing showed. Those
 * that do not (copied in parts, encrypted anew, never listed) are kept outside of Redis before their sources go.
 */

/** Seconds; see kept-page.ts. */
const KEPT_S = 7 * 24 * 3600;

type Kept = { readonly pin?: LatePin; readonly etag: string; readonly verified: Verified };

async function proofsId({ chunks, delivery: { ref } }: ChunkWork): Promise<string> {
  return `batch-${ref.batch}-proofs-${await chunks.nonceOf(ref)}-${ref.chain}-${ref.n}`;
}

/** Before the sources of these go. */
export async function keepProofs(work: ChunkWork, indexes: readonly number[]): Promise<void> {
  const { outcomes, documents, delivery, ending } = work;
  if (!indexes.some((index) => isOursAlone(work, index))) return;
  const kept: [number, Kept][] = [];
  for (const [index, status] of outcomes.status.entries()) {
    if ((status !== COPIED && status !== SUCCEEDED) || !isOursAlone(work, index)) continue;
    const pin = outcomes.pins.get(index);
    const etag = outcomes.etags[index] ?? "";
    kept.push([index, { ...(pin !== undefined && { pin }), etag, verified: outcomes.verifiedAt(index) ?? "size" }]);
  }
  const { batch, chain, n } = delivery.ref;
  await documents.write(JSON.stringify(kept), {
    id: await proofsId(work),
    name: `proofs of batch ${batch}, chunk ${chain}-${n}`,
    ttl: KEPT_S,
    deleteAfterDownload: false,
    signal: ending,
  });
}

/** True where the copy and the list of the batch do not tell that it is one. */
function isOursAlone({ outcomes, manifest }: ChunkWork, index: number): boolean {
  const etag = outcomes.etags[index];
  return etag !== undefined && (outcomes.pins.has(index) || etag !== manifest.etags[index]);
}

const recalled = new WeakMap<ChunkWork, Promise<ReadonlyMap<number, Kept>>>();

/** Read at the first source that is missing, once for each delivery. */
async function recall(work: ChunkWork): Promise<ReadonlyMap<number, Kept>> {
  const reading = recalled.get(work) ?? read(work);
  recalled.set(work, reading);
  return await reading;
}

async function read(work: ChunkWork): Promise<ReadonlyMap<number, Kept>> {
  const { documents, signal } = work;
  const pointer = await documents.find(await proofsId(work), { signal });
  if (pointer === undefined) return new Map();
  return new Map(JSON.parse(await text(await documents.read(pointer, { keep: true, signal }))) as [number, Kept][]); // keepProofs wrote it
}

/** What an object that is gone was copied as, where a delivery that Redis forgot had to look at it first. */
export async function keptPin(work: ChunkWork, index: number, error: unknown): Promise<LatePin> {
  const missing = error instanceof ActivityError && error.httpStatus === 404;
  const pin = missing ? (await recall(work)).get(index)?.pin : undefined;
  if (pin === undefined) throw error;
  return pin;
}

/** The copy of an object that is gone, where this batch has made and proven it, and it is there still. */
export async function keptProof(
  work: ChunkWork,
  index: number,
  { pin, target }: { readonly pin: Pin; readonly target: Target },
): Promise<CopyProof | undefined> {
  const kept = (await recall(work)).get(index);
  if (kept === undefined) return undefined;
  const ours = { ...target, etag: kept.etag, size: pin.size, verified: kept.verified };
  return await work.destination.proves({ source: pin, ...target, ours }, { signal: work.signal });
}
