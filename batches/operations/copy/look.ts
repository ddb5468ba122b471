import { ActivityError } from "../../../model/activity-error.ts";
import { isSinglePartEtag } from "../../../model/etag.ts";
import type { Pin } from "../../../s3/interface.ts";
import { verbOf } from "../../operations.ts";
import type { Found, Target } from "./target.ts";
import { keptProof } from "../../run/kept-proofs.ts";
import type { ChunkWork } from "../../run/work.ts";

type Existing = { readonly etag: string; readonly size: number };

/**
 * A copy was refused because of what lies at its source or destination. An earlier delivery, or an earlier try whose answer was
 * lost, may have done the work already: whoever finds the pinned content at the destination goes on from there.
 *
 * @returns the proof of an earlier copy, or `undefined` where the object was decided upon
 */
export async function lookAgain(
  work: ChunkWork,
  index: number,
  { pin, target, error }: { readonly pin: Pin; readonly target: Target; readonly error: ActivityError },
): Promise<Found | undefined> {
  const { source, destination, signal, outcomes, spec } = work;
  const { bucket, key, versionId } = pin;
  const there = await source.find({ bucket, key, ...(pin.versionNamed === true && { versionId }) }, { signal });
  const unchanged = there !== undefined && there.etag === pin.etag;
  if (there !== undefined && !unchanged) {
    const message = `SourceChanged: expected s3://${bucket}/${key} with ETag ${pin.etag}, found ${there.etag}; nothing was deleted`;
    outcomes.failed(index, { code: "SourceChanged", message, httpStatus: 412 });
    return undefined;
  }
  const proof =
    (await destination.proves({ source: pin, ...target }, { signal })) ??
    (there === undefined ? await keptProof(work, index, { pin, target }) : undefined);
  if (proof !== undefined) return { ...proof, sourceGone: there === undefined };
  if (unchanged && error.httpStatus === 412) {
    const message = `DestinationExists: s3://${target.bucket}/${target.key} is there already; onConflict is ${spec.onConflict}`;
    const remark = { code: "DestinationExists", message, httpStatus: 412 };
    if (spec.onConflict === "skip") outcomes.skipped(index, remark);
    else outcomes.failed(index, remark);
    return undefined;
  }
  throw error;
}

/** Of a chunk's look at its destinations much time may have passed: throws as a store that refuses to write over something would. */
export async function expectFree({ destination, signal }: ChunkWork, target: Target): Promise<void> {
  if ((await destination.find(target, { signal })) === undefined) return;
  throw new ActivityError("PreconditionFailed", `expected no object at s3://${target.bucket}/${target.key}`, {
    httpStatus: 412,
  });
}

/**
 * What lies at the destination may be this move's own copy, of which Redis forgot that it was made and its source deleted.
 *
 * @returns its proof, where the source is gone
 */
export async function findOwnCopy(
  work: ChunkWork,
  index: number,
  { pin, target, existing }: { readonly pin: Pin; readonly target: Target; readonly existing: Existing | undefined },
): Promise<Found | undefined> {
  const { source, destination, signal, spec } = work;
  if (verbOf(spec).source.ends === "kept" || existing?.size !== pin.size) return undefined;
  if (existing.etag !== pin.etag && isSinglePartEtag(existing.etag) && isSinglePartEtag(pin.etag)) return undefined;
  const { bucket, key, versionId } = pin;
  const there = await source.find({ bucket, key, ...(pin.versionNamed === true && { versionId }) }, { signal });
  if (there !== undefined) return undefined;
  const proof =
    (await destination.proves({ source: pin, ...target }, { signal })) ??
    (await keptProof(work, index, { pin, target }));
  return proof && { ...proof, sourceGone: true };
}
