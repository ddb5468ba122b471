import type { CopyProof, Pin } from "../s3/interface.ts";
import { ActivityError } from "../model/activity-error.ts";
import type { JobContext } from "./handler.ts";
import {
  type Destination,
  type ObjectDetails,
  type ObjectRef,
  isGuarded,
  type OnConflict,
  type Verified,
  type WrittenObject,
} from "../model/entities.ts";
import { type CopiedAttributes, protectOf, replacedOf } from "../model/attributes/carried.ts";
import { isAlias, mayFoldTogether } from "../model/one-object.ts";

/** What a copy and the first half of a move are asked, after parsing. */
export type TransferInput = CopiedAttributes & {
  readonly object: ObjectRef;
  readonly destination: Destination;
  readonly onConflict: OnConflict;
};

/** Either the destination was left as it is, or it holds the pinned content. */
export type Transferred =
  | { readonly skipped: WrittenObject }
  | {
      readonly skipped?: never;
      readonly pin: Pin;
      readonly proof: CopyProof;
      /** Who brought the content there: this attempt, an earlier one, or somebody before the job (`skip-identical`). */
      readonly by: "this-attempt" | "earlier-attempt" | "others";
    };

/** Thrown inside `pinOnce` to leave it without a pin; never leaves this file. */
class DestinationKept extends Error {
  readonly object: ObjectDetails;
  constructor(object: ObjectDetails) {
    super("the destination is left as it is");
    this.object = object;
  }
}

/** True where source and destination are one object by their very names. */
export function isSameObject(input: TransferInput, { s3, destination }: Pick<JobContext, "s3" | "destination">) {
  const { object, destination: to } = input;
  return (
    s3.connection.name === destination.connection.name &&
    object.bucket === to.bucket &&
    object.key === (to.key ?? object.key)
  );
}

/** Whether something is said of the object, so that a copy onto itself changes it. */
export const hasOverrides = (input: TransferInput): boolean =>
  Object.keys(replacedOf(input)).length > 0 || input.destination.customerKey !== undefined;

/**
 * Brings the pinned content of the source to the destination, once over all attempts, and proves it.
 * With `thenDelete` the source goes afterwards, so that names which may be one object are looked at more strictly.
 * Rerun after a crash it uses the pin of the first run, and accepts what that run already copied.
 */
export async function transfer(
  input: TransferInput,
  job: JobContext,
  { thenDelete = false }: { readonly thenDelete?: boolean } = {},
): Promise<Transferred> {
  const context = { ...job, thenDelete };
  const { evidence } = context;
  const target = { bucket: input.destination.bucket, key: input.destination.key ?? input.object.key };
  try {
    let looked = false;
    const makePin = async () => {
      const made = await pinSource(input, target, context);
      looked = true;
      return made;
    };
    const pinOnce = async (make: () => Promise<Pin>) => boundTo(input.object, await evidence.pinOnce(make));
    if (!thenDelete && evidence.fresh && input.onConflict === "overwrite") {
      const pin = await makePin();
      if (isRepeatable(pin, context)) return await copyUnnoted(input, target, pin, context);
      return await transferPinned(input, target, await pinOnce(async () => pin), { ...context, looked });
    }
    const pin = await pinOnce(makePin);
    return await transferPinned(input, target, pin, { ...context, looked });
  } catch (error) {
    if (error instanceof DestinationKept) return { skipped: written(error.object) };
    throw error;
  }
}

/** Which object and version a job is about is said by its input alone: the pin of an earlier attempt lies where others may write. */
function boundTo({ bucket, key, versionId: named }: ObjectRef, { versionId, versionNamed: _, ...pin }: Pin): Pin {
  if (named !== undefined) return { ...pin, bucket, key, versionId: named, versionNamed: true };
  return { ...pin, bucket, key, ...(versionId !== undefined && { versionId }) };
}

/**
 * True of a copy by one request that replaces whatever is there: another attempt makes it anew, of what the source holds then. Remembering it
 * would take as long as making it.
 */
function isRepeatable({ size }: Pin, { s3, destination }: Ends): boolean {
  return s3 === destination && size <= s3.connection.multipartThreshold;
}

/** Only what failed is noted: the copy may have taken effect, and its source may be gone when the next attempt looks. */
async function copyUnnoted(
  input: TransferInput,
  target: Target,
  pin: Pin,
  context: Transferring,
): Promise<Transferred> {
  try {
    return { pin, proof: await copyPinned(input, target, pin, context), by: "this-attempt" };
  } catch (error) {
    await context.evidence.pinOnce(async () => pin).catch(() => undefined); // the copy's own error says more
    throw error;
  }
}

async function transferPinned(
  input: TransferInput,
  target: Target,
  pin: Pin,
  context: Transferring & { readonly looked: boolean },
): Promise<Transferred> {
  const { destination, evidence, signal, looked } = context;
  const ours = await evidence.copied();
  const earlier = ours && (await destination.proves({ source: pin, ...target, ours }, { signal }));
  if (earlier) {
    const { notCarried } = ours;
    return { pin, proof: { ...earlier, ...(notCarried && { notCarried }) }, by: "earlier-attempt" };
  }
  const identical =
    input.onConflict === "skip-identical" && (await destination.proves({ source: pin, ...target }, { signal }));
  if (identical) return { pin, proof: identical, by: "others" };
  // Redis was asked since: also a look of this attempt is old where nothing else keeps what came meanwhile.
  const fresh = looked && destination.connection.conditionalWrite;
  const found = fresh ? undefined : await findBeforeCopy(input, target, pin, context);
  const proof = found ?? (await copyPinned(input, target, pin, context));
  await evidence.recordCopy(proof);
  return { pin, proof, by: "this-attempt" };
}

/** The parts of a proof or of details that a result carries. */
export function written(object: CopyProof | ObjectDetails) {
  const { bucket, key, size, etag, versionId } = object;
  return { bucket, key, size, etag, ...(versionId !== undefined && { versionId }) };
}

const STRENGTH: Readonly<Record<Verified, number>> = { size: 0, checksum: 1, etag: 2 };

/** Throws `VerificationTooWeak` where the proof is below what the job asks for. */
export function requireProof(proof: CopyProof, minVerify: Verified): void {
  if (STRENGTH[proof.verified] >= STRENGTH[minVerify]) return;
  throw new ActivityError(
    "VerificationTooWeak",
    `the copy at s3://${proof.bucket}/${proof.key} could be verified by ${proof.verified} only, expected ${minVerify}; source and copy are kept`,
  );
}

/** One transfer at work. */
type Transferring = JobContext & { readonly thenDelete: boolean };

type Ends = Pick<JobContext, "s3" | "destination">;
type Target = { readonly bucket: string; readonly key: string };

/** Runs once: what it sees is what every later attempt compares with. */
async function pinSource(input: TransferInput, target: Target, context: Transferring): Promise<Pin> {
  const { s3, destination, signal } = context;
  const source = await s3.head(input.object, { signal });
  const pin: Pin = {
    bucket: input.object.bucket,
    key: input.object.key,
    etag: source.etag,
    size: source.size,
    lastModified: source.lastModified,
    storageClass: source.storageClass,
    websiteRedirect: source.websiteRedirect ?? "",
    objectLock: source.objectLock ?? null,
    ...(source.versionId !== undefined && { versionId: source.versionId }),
    ...(input.object.versionId !== undefined && { versionId: input.object.versionId, versionNamed: true }),
  };
  const mayBeOne = mayBeSameObject(input, target, source, context);
  if (!mayBeOne && input.onConflict === "overwrite") return pin;
  const existing = await destination.find(target, { signal });
  if (existing === undefined) return pin;
  if (mayBeOne && isSameContent(existing, source)) throw sameObject(pin, target);
  if (input.onConflict === "fail") throw destinationExists(target);
  if (input.onConflict === "skip") throw new DestinationKept(existing);
  return pin;
}

/**
 * Time has passed since the destination was looked at. Where it may not be overwritten, and the store does not see to that, it is looked at again: what
 * lies there is an earlier run's copy, or somebody else's.
 */
async function findBeforeCopy(
  { onConflict }: TransferInput,
  target: Target,
  pin: Pin,
  { destination, signal }: JobContext,
): Promise<CopyProof | undefined> {
  if (!isGuarded(onConflict)) return undefined;
  const existing = await destination.find(target, { signal });
  if (existing === undefined) return undefined;
  const proof = await destination.proves({ source: pin, ...target }, { signal });
  if (proof !== undefined) return proof;
  if (onConflict === "skip") throw new DestinationKept(existing);
  throw destinationExists(target);
}

/** Copies, or finds that an earlier run did: its answer may have been lost, and the source may be gone since. */
async function copyPinned(input: TransferInput, target: Target, pin: Pin, context: Transferring): Promise<CopyProof> {
  const { s3, destination, evidence, signal } = context;
  const request = {
    source: pin,
    ...target,
    overrides: replacedOf(input),
    protect: protectOf(input, context.thenDelete),
    upload: evidence.upload,
    unreadTags: context.thenDelete ? ("refuse" as const) : ("leave" as const),
    onBytes: context.progress(pin.size),
    ...(isGuarded(input.onConflict) && { ifNoneMatch: "*" as const }),
  };
  try {
    return await (s3 === destination ? s3.copy(request, { signal }) : destination.copyFrom(s3, request, { signal }));
  } catch (error) {
    const code = error instanceof ActivityError ? error.code : "";
    if (!["NoSuchKey", "NoSuchVersion", "SourceChanged", "PreconditionFailed"].includes(code)) throw error;
    // Equal content there is what a run of this job wrote whose answer was lost: where that matters (fail, skip), the
    // destination was free when the pin was stored.
    const proof = await destination.proves({ source: pin, ...target }, { signal });
    if (proof !== undefined) return proof;
    if (code !== "PreconditionFailed") throw error;
    const existing = await destination.find(target, { signal });
    if (input.onConflict === "skip" && existing !== undefined) throw new DestinationKept(existing);
    throw destinationExists(target, error);
  }
}

/** Of a younger source, the date cannot tell whether our copy replaced it: both may be of the same second. Generous, as two clocks may differ. */
const YOUNG_MS = 120_000;

/** Names alone cannot tell apart what another profile, an access-point alias or a store that folds names points to. */
function mayBeSameObject(
  input: TransferInput,
  target: Target,
  source: ObjectDetails,
  { s3, destination, thenDelete }: Ends & { readonly thenDelete: boolean },
): boolean {
  if (!mayFoldTogether(input.object.key, target.key)) return false;
  const aliased = isAlias(input.object.bucket) || isAlias(target.bucket);
  if (input.object.bucket === target.bucket) return aliased || input.object.key !== target.key || s3 !== destination;
  // Two buckets of one store may be one under two names. Where they are, our copy gives the source another date, unless it is as young as that.
  const young = Date.now() - Date.parse(source.lastModified) < YOUNG_MS;
  // Only a move could lose it; a copy of equal content made in the same second is an everyday thing.
  return aliased || (thenDelete && s3.connection.endpoint !== undefined && young);
}

/** One object seen twice shows the same content written at the same moment. */
const isSameContent = (one: ObjectDetails, other: ObjectDetails): boolean =>
  one.etag === other.etag && one.lastModified === other.lastModified && one.versionId === other.versionId;

/**
 * Throws `DestinationChanged` where the copy is not what was proven any more. A store that ignores If-None-Match lets two contents meet at one key:
 * whoever comes second must not have deleted its source by then.
 */
export async function requireCopyThere(proof: CopyProof, { destination, signal }: JobContext): Promise<void> {
  const { bucket, key, etag, size } = proof;
  const now = await destination.find({ bucket, key }, { signal });
  if (now?.etag === etag && now.size === size) return;
  const found = now === undefined ? "nothing" : `ETag ${now.etag}`;
  throw new ActivityError(
    "DestinationChanged",
    `expected the copy with ETag ${etag} at s3://${bucket}/${key}, found ${found}; the source is kept`,
  );
}

function sameObject(pin: Pin, target: Target): ActivityError {
  return new ActivityError(
    "SameObject",
    `s3://${pin.bucket}/${pin.key} and s3://${target.bucket}/${target.key} look like one object under two names; expected two`,
  );
}

function destinationExists(target: Target, cause?: unknown): ActivityError {
  return new ActivityError(
    "DestinationExists",
    `s3://${target.bucket}/${target.key} is there already; onConflict is fail, so expected no object there`,
    { httpStatus: 412, cause },
  );
}
