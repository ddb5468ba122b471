import { partsAbove } from "../../../credentials/connection.ts";
import type { Found, Target } from "./target.ts";
import { ActivityError } from "../../../model/activity-error.ts";
import { type Verified } from "../../../model/entities.ts";
import { attributesOf } from "../../../model/object-attributes.ts";
import { isAlias, isSameSecond } from "../../../model/one-object.ts";
import { isSinglePartEtag } from "../../../model/etag.ts";
import type { CopyProof, CopyRequest, Pin } from "../../../s3/interface.ts";
import type { Conflicts } from "../../listing/conflicts.ts";
import { decideConflict } from "../../listing/conflicts.ts";
import { lookAgain } from "./look.ts";
import { bucketAt } from "../../state/chunk-manifest.ts";
import { OPEN } from "../../run/outcomes.ts";
import { runLanes } from "../../run/lanes.ts";
import type { Pace } from "../../run/pace.ts";
import { backoff, isFatal, isThrottle, MAX_TRIES, rest, toError } from "../../run/retry.ts";
import { settleArchived } from "../../run/screen.ts";
import { uploadMemory } from "./leftover-uploads.ts";
import { type ChunkWork, destinationKeyAt, laneOf, pinAt, Superseded } from "../../run/work.ts";

/** Objects in parts, or streamed between stores, at once: each is many requests by itself. */
const LARGE_LANES = 4;
const STREAM_LANES = 16;
/** The limiter holds the lane back already; this only keeps one object from asking all the time. */
const THROTTLED = { base: 50, max: 1000 };
/** Waits in a row of one object after which it is worth telling. */
const LONG_WAITS = 8;
const STRENGTH: Readonly<Record<Verified, number>> = { size: 0, checksum: 1, etag: 2 };

/** Copies every object that is still open. Large ones go in lanes of their own, so that small ones do not wait for them. */
export async function copyObjects(work: ChunkWork, conflicts: Conflicts | undefined, pace: Pace): Promise<void> {
  const { manifest, outcomes, source, destination } = work;
  const large: number[] = [];
  const small: number[] = [];
  for (let index = 0; index < manifest.keys.length; index++) {
    if (outcomes.status[index] !== OPEN) continue;
    ((manifest.sizes[index] ?? 0) > destination.connection.multipartThreshold ? large : small).push(index);
  }
  const lanes = source === destination ? work.concurrency : Math.min(STREAM_LANES, work.concurrency);
  const next = async (index: number): Promise<boolean> => {
    if (work.control.halted !== undefined || work.fatal !== undefined || !(await pace.take())) return false;
    await copyObject(work, conflicts, index);
    return true;
  };
  await Promise.all([runLanes(large, LARGE_LANES, next), runLanes(small, lanes, next)]);
}

/** Tries one object until it has an outcome, or the batch halts. Throttling costs time only. */
async function copyObject(work: ChunkWork, conflicts: Conflicts | undefined, index: number): Promise<void> {
  const { control, outcomes } = work;
  work.started[index] = 1;
  for (let tries = 1, waits = 1; ;) {
    try {
      return await attemptCopy(work, conflicts, { index, last: tries >= MAX_TRIES });
    } catch (thrown) {
      if (thrown instanceof Superseded) throw thrown;
      if (work.signal.aborted) return abandoned(work, thrown);
      const error = toError(thrown);
      if (isFatal(error)) {
        work.fatal ??= error;
        return;
      }
      const throttled = isThrottle(error);
      if (!throttled && (!error.retryable || tries++ >= MAX_TRIES)) {
        const { code, message, httpStatus } = error;
        return outcomes.failed(index, { code, message, httpStatus });
      }
      if (throttled && waits % LONG_WAITS === 0) await work.noteTrouble(error);
      const slept = await rest(
        throttled ? backoff(waits++, THROTTLED) : backoff(tries),
        AbortSignal.any([control.signal, work.signal]),
      );
      if (!slept) return work.signal.aborted ? abandoned(work, work.signal.reason) : undefined;
    }
  }
}

/**
 * How a store says that an object must be restored first. Only it knows: a restored object is still listed in its archive class, and the
 * archive tiers of Intelligent-Tiering show nowhere else. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
const ARCHIVE_CODES: ReadonlySet<string> = new Set(["InvalidObjectState", "ObjectNotInActiveTierError"]);

/** After a halt what was cut off stays open; any other end of the signal ends the delivery. */
function abandoned({ control }: ChunkWork, reason: unknown): void {
  if (control.halted === undefined) throw reason;
}

/** `last`: whatever fails now is not tried again. */
type Attempt = { readonly index: number; readonly last: boolean };

async function attemptCopy(work: ChunkWork, conflicts: Conflicts | undefined, attempt: Attempt): Promise<void> {
  const { index } = attempt;
  const pin = pinAt(work, index) ?? (await pinLate(work, index));
  if (pin === undefined) return;
  const { spec, outcomes } = work;
  const target: Target = { bucket: spec.destination?.bucket ?? "", key: destinationKeyAt(work, index) ?? "" };
  if (await isOneObject(work, pin, target)) {
    const message = `SameObject: s3://${pin.bucket}/${pin.key} and s3://${target.bucket}/${target.key} look like one object under two names`;
    return outcomes.failed(index, { code: "SameObject", message });
  }
  const before = await findEarlierCopy(work, index, { pin, target });
  if (before === undefined && conflicts !== undefined) {
    if (decideConflict(work, conflicts, { index, pin })) return;
    if (await skipIdentical(work, conflicts.get(index), { index, pin, target })) return;
  }
  const proof: Found | undefined = before ?? (await copyOrFind(work, attempt, { pin, target }));
  if (proof === undefined) return;
  if (proof.sourceGone !== true && STRENGTH[proof.verified] < STRENGTH[spec.minVerify]) {
    const message = `VerificationTooWeak: the copy could be verified by ${proof.verified} only, expected ${spec.minVerify}; both are kept`;
    return outcomes.failed(index, { code: "VerificationTooWeak", message });
  }
  outcomes.copied(index, proof);
  if (spec.operation === "copy" || proof.sourceGone === true) outcomes.succeeded(index);
}

/** The copy that an earlier batch made and proved, where it is still there and still of this source. */
async function findEarlierCopy(
  work: ChunkWork,
  index: number,
  { pin, target }: { pin: Pin; target: Target },
): Promise<CopyProof | undefined> {
  const copied = work.manifest.copies?.[index];
  if (copied === undefined || copied === null) return undefined;
  work.requests.head++;
  const ours = { ...target, ...copied, size: pin.size };
  return await work.destination.proves({ source: pin, ...target, ours }, { signal: work.signal });
}

/** What came in parts has another ETag after each copy: then checksums of the whole tell whether the content is there already. */
async function skipIdentical(
  { spec, source, destination, signal, outcomes, requests }: ChunkWork,
  existing: { readonly etag: string; readonly size: number } | undefined,
  { index, pin, target }: { readonly index: number; readonly pin: Pin; readonly target: Target },
): Promise<boolean> {
  if (spec.onConflict !== "skip-identical" || existing?.size !== pin.size) return false;
  if (isSinglePartEtag(existing.etag) && isSinglePartEtag(pin.etag)) return false;
  requests.head += 2;
  const proof = await destination.proves(
    { source: pin, ...target, ...(source !== destination && { sourceElsewhere: true }) },
    { signal },
  );
  if (proof === undefined) return false;
  const name = `s3://${target.bucket}/${target.key}`;
  outcomes.skipped(index, { code: "Identical", message: `Identical: ${name} has this content already` });
  return true;
}

async function copyOrFind(
  work: ChunkWork,
  { index, last }: Attempt,
  { pin, target }: { pin: Pin; target: Target },
): Promise<Found | undefined> {
  const { spec, source, destination, signal, limiter } = work;
  const { onConflict } = spec;
  const request: CopyRequest = {
    source: pin,
    ...target,
    overrides: attributesOf(spec),
    ...(pin.size > partsAbove(destination.connection, source === destination ? "copied" : "sent") && {
      upload: uploadMemory(work, index, last),
    }),
    ...((onConflict === "skip" || onConflict === "fail") && { ifNoneMatch: "*" as const }),
  };
  const send = (): Promise<CopyProof> => {
    work.requests.copy++;
    return source === destination
      ? destination.copy(request, { signal })
      : destination.copyFrom(source, request, { signal });
  };
  try {
    return await limiter.run(send, { signal, lane: laneOf(work) });
  } catch (error) {
    if (error instanceof ActivityError && ARCHIVE_CODES.has(error.code)) {
      settleArchived(work, index, pin.storageClass ?? "an archive tier");
      return undefined;
    }
    if (!(error instanceof ActivityError) || (error.httpStatus !== 404 && error.httpStatus !== 412)) throw error;
    return await lookAgain(work, index, { pin, target, error });
  }
}

/** Items and manifests may not tell what an object holds: a HEAD does, just before it is copied. `undefined`: it was decided upon. */
async function pinLate(work: ChunkWork, index: number): Promise<Pin | undefined> {
  const { manifest, outcomes, source, signal } = work;
  const bucket = bucketAt(manifest, index);
  const key = manifest.keys[index] ?? "";
  const named = manifest.versions?.[index];
  work.requests.head++;
  const found = await source.head({ bucket, key, ...(typeof named === "string" && { versionId: named }) }, { signal });
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

/**
 * Two names of one object: through another profile, endpoint or access-point alias. To move it onto itself would delete it.
 * Asked only where names leave it open.
 */
async function isOneObject(work: ChunkWork, pin: Pin, target: Target): Promise<boolean> {
  const { source, destination, signal } = work;
  if (pin.key !== target.key) return false;
  const crossed = source !== destination && pin.bucket === target.bucket;
  if (!crossed && !isAlias(pin.bucket) && !isAlias(target.bucket)) return false;
  work.requests.head++;
  const there = await destination.find(target, { signal });
  return there !== undefined && there.etag === pin.etag && isSameSecond(there.lastModified, pin.lastModified);
}
