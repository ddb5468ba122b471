import { partsAbove } from "../../../credentials/connection.ts";
import type { Found, Target } from "./target.ts";
import { ActivityError } from "../../../model/activity-error.ts";
import type { Verified } from "../../../model/entities.ts";
import { type Protect, protectOf, replacedOf } from "../../../model/attributes/carried.ts";
import type { ObjectAttributes } from "../../../model/object-attributes.ts";
import { isAlias, isSameSecond } from "../../../model/one-object.ts";
import { isSinglePartEtag } from "../../../model/etag.ts";
import type { CopyProof, CopyRequest, Pin } from "../../../s3/interface.ts";
import type { Conflicts } from "../../listing/conflicts.ts";
import { decideConflict } from "../../listing/conflicts.ts";
import { expectFree, findOwnCopy, lookAgain } from "./look.ts";
import { OPEN, type Remark } from "../../run/outcomes.ts";
import { pinOf } from "../../run/pins/object.ts";
import { workOnObjects } from "../../run/objects.ts";
import { isGuarded } from "../../../model/entities.ts";
import { settleArchived } from "./archived.ts";
import { verbOf } from "../../operations.ts";
import { uploadMemory } from "./leftover-uploads.ts";
import { type ChunkWork, destinationKeyAt, laneOf, pinAt } from "../../run/work.ts";

/** Objects in parts, or streamed between stores, at once: each is many requests by itself. */
const LARGE_LANES = 4;
const STREAM_LANES = 16;
const STRENGTH: Readonly<Record<Verified, number>> = { size: 0, checksum: 1, etag: 2 };

export type Copying = {
  /** What the destination held before; where it matters. */
  readonly conflicts: Conflicts | undefined;
  /** What is next for an object whose copy is proven. The source is gone where an earlier delivery deleted it. */
  readonly copied: (work: ChunkWork, index: number, proof: Found) => void;
};

/** Copies every object that is still open. Large ones go in lanes of their own, so that small ones do not wait for them. */
export async function copyObjects(work: ChunkWork, how: Copying): Promise<void> {
  const { manifest, outcomes, source, destination } = work;
  const large: number[] = [];
  const small: number[] = [];
  for (let index = 0; index < manifest.keys.length; index++) {
    if (outcomes.status[index] !== OPEN) continue;
    ((manifest.sizes[index] ?? 0) > destination.connection.multipartThreshold ? large : small).push(index);
  }
  const sourceGoes = verbOf(work.spec).source.ends !== "kept";
  const said = { overrides: replacedOf(work.spec), protect: protectOf(work.spec, sourceGoes), sourceGoes };
  const same: Same = { ...how, ...said, lane: laneOf(work) };
  const lanes = source === destination ? work.concurrency : Math.min(STREAM_LANES, work.concurrency);
  const attempt = (index: number, last: boolean): Promise<void> => attemptCopy(work, same, { index, last });
  await Promise.all([
    workOnObjects(work, { indexes: large, lanes: LARGE_LANES, attempt }),
    workOnObjects(work, { indexes: small, lanes, attempt }),
  ]);
}

/**
 * How a store says that an object must be restored first. Only it knows: a restored object is still listed in its archive class, and the
 * archive tiers of Intelligent-Tiering show nowhere else. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
const ARCHIVE_CODES: ReadonlySet<string> = new Set(["InvalidObjectState", "ObjectNotInActiveTierError"]);

/** What is the same for every object of a chunk. */
type Same = Copying & {
  readonly lane: string;
  readonly overrides: ObjectAttributes;
  readonly protect: Protect;
  readonly sourceGoes: boolean;
};

/** `last`: whatever fails now is not tried again. */
type Attempt = { readonly index: number; readonly last: boolean };

// Most objects need nothing but their copy: what is not asked for is not waited for either.
async function attemptCopy(work: ChunkWork, same: Same, attempt: Attempt): Promise<void> {
  const { index } = attempt;
  const { conflicts, copied } = same;
  const pin = pinAt(work, index) ?? (await pinOf(work, index));
  if (pin === undefined) return;
  const { spec, outcomes } = work;
  const target: Target = { bucket: spec.destination?.bucket ?? "", key: destinationKeyAt(work, index) ?? "" };
  if (mayBeOneObject(work, pin, target) && (await isOneObject(work, pin, target))) {
    const message = `SameObject: s3://${pin.bucket}/${pin.key} and s3://${target.bucket}/${target.key} look like one object under two names`;
    return outcomes.failed(index, { code: "SameObject", message });
  }
  const before =
    (work.manifest.copies && (await findEarlierCopy(work, index, { pin, target }))) ??
    (conflicts && (await findOwnCopy(work, index, { pin, target, existing: conflicts.get(index) })));
  if (before === undefined && conflicts !== undefined) {
    if (decideConflict(work, conflicts, { index, pin })) return;
    if (await skipIdentical(work, conflicts.get(index), { index, pin, target })) return;
  }
  const proof = before ?? (await copyOrFind(work, same, attempt, { pin, target }));
  if (proof === undefined) return;
  if (proof.sourceGone !== true && STRENGTH[proof.verified] < STRENGTH[spec.minVerify]) {
    const message = `VerificationTooWeak: the copy could be verified by ${proof.verified} only, expected ${spec.minVerify}; both are kept`;
    return outcomes.failed(index, { code: "VerificationTooWeak", message });
  }
  outcomes.copied(index, proof, remarkOn(proof));
  copied(work, index, proof);
}

/** What the copy does not have of its source. */
function remarkOn({ notCarried }: Found): Remark | undefined {
  if (notCarried === undefined) return undefined;
  if (notCarried.includes("tags"))
    return { code: "TagsUnread", message: "TagsUnread: the tags may not be read, so the copy has none" };
  const left = notCarried.map((one) => (one === "acl" ? "access list (acl)" : "lock (objectLock)")).join(" and ");
  return { code: "NotCarried", message: `NotCarried: the copy is without the ${left} of its source` };
}

/** The copy that an earlier batch made and proved, where it is still there and still of this source. */
async function findEarlierCopy(
  work: ChunkWork,
  index: number,
  { pin, target }: { pin: Pin; target: Target },
): Promise<Found | undefined> {
  const copied = work.manifest.copies?.[index];
  if (copied === undefined || copied === null) return undefined;
  const ours = { ...target, ...copied, size: pin.size };
  return await work.destination.proves({ source: pin, ...target, ours }, { signal: work.signal });
}

/** What came in parts has another ETag after each copy: then checksums of the whole tell whether the content is there already. */
async function skipIdentical(
  { spec, source, destination, signal, outcomes }: ChunkWork,
  existing: { readonly etag: string; readonly size: number } | undefined,
  { index, pin, target }: { readonly index: number; readonly pin: Pin; readonly target: Target },
): Promise<boolean> {
  if (spec.onConflict !== "skip-identical" || existing?.size !== pin.size) return false;
  if (isSinglePartEtag(existing.etag) && isSinglePartEtag(pin.etag)) return false;
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
  { lane, overrides, protect, sourceGoes }: Same,
  { index, last }: Attempt,
  { pin, target }: { pin: Pin; target: Target },
): Promise<Found | undefined> {
  const { spec, source, destination, signal, limiter } = work;
  const { onConflict } = spec;
  const request: CopyRequest = {
    source: pin,
    ...target,
    overrides,
    protect,
    ...(pin.size > partsAbove(destination.connection, source === destination ? "copied" : "sent") && {
      upload: uploadMemory(work, index, last),
    }),
    // What is lost of a source that goes is lost for good.
    unreadTags: sourceGoes ? "refuse" : "leave",
    ...(isGuarded(onConflict) && { ifNoneMatch: "*" as const }),
  };
  const send = async (): Promise<CopyProof> => {
    if (request.ifNoneMatch !== undefined && !destination.connection.conditionalWrite) await expectFree(work, target);
    return source === destination
      ? await destination.copy(request, { signal })
      : await destination.copyFrom(source, request, { signal });
  };
  try {
    return await limiter.run(send, { signal, lane });
  } catch (error) {
    if (error instanceof ActivityError && ARCHIVE_CODES.has(error.code)) {
      settleArchived(work, index, pin.storageClass ?? "an archive tier");
      return undefined;
    }
    if (!(error instanceof ActivityError) || (error.httpStatus !== 404 && error.httpStatus !== 412)) throw error;
    return await lookAgain(work, index, { pin, target, error });
  }
}

/** Where names leave open whether two are of one object. */
function mayBeOneObject({ source, destination }: ChunkWork, pin: Pin, target: Target): boolean {
  if (pin.key !== target.key) return false;
  const crossed = source !== destination && pin.bucket === target.bucket;
  return crossed || isAlias(pin.bucket) || isAlias(target.bucket);
}

/** Two names of one object: through another profile, endpoint or access-point alias. To move it onto itself would delete it. */
async function isOneObject(work: ChunkWork, pin: Pin, target: Target): Promise<boolean> {
  const { destination, signal } = work;
  const there = await destination.find(target, { signal });
  return there !== undefined && there.etag === pin.etag && isSameSecond(there.lastModified, pin.lastModified);
}
