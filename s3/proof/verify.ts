import { ActivityError } from "../../model/activity-error.ts";
import type { ObjectRef, Verified } from "../../model/entities.ts";
import { isPinned, sourceChanged } from "./unchanged.ts";
import { nameOf } from "../error-mapping.ts";
import { isSinglePartEtag, unquoteEtag } from "../../model/etag.ts";
import { findFacts, headFacts } from "../requests/head.ts";
import type { ObjectFacts } from "../requests/object-facts.ts";
import type { Call, CopyProof, Pin, S3 } from "../interface.ts";
import type { Store } from "../store.ts";

/** What the store answered to a copy. */
export type Copied = {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
  /** Without quotes. */
  readonly etag: string;
};

/** A proven copy, and what the proof had to read. */
export type Verification = { readonly proof: CopyProof; readonly source?: ObjectFacts; readonly copy?: ObjectFacts };

/** Proves that a copy holds the pinned content, by the strongest means that the store gives; throws `VerificationFailed` or `SourceChanged`. */
export async function verifyCopy(store: Store, pin: Pin, copied: Copied, call: Call): Promise<Verification> {
  const { bucket, key, versionId, etag } = copied;
  const proof = (verified: Verified): CopyProof => ({
    bucket,
    key,
    etag,
    size: pin.size,
    verified,
    ...(versionId !== undefined && { versionId }),
  });
  if (etag === unquoteEtag(pin.etag) && isSinglePartEtag(etag)) return { proof: proof("etag") };
  const copy = await headFacts(store, { object: { bucket, key, versionId } }, call);
  if (copy.details.etag !== etag) throw failed(copied, `expected the copy's ETag ${etag}, found ${copy.details.etag}`);
  if (copy.details.size !== pin.size) throw failed(copied, `expected ${pin.size} bytes, found ${copy.details.size}`);
  // What a copy onto itself was made of is not there to be compared with, unless as a version.
  const replaced = pin.bucket === bucket && pin.key === key && pin.versionId === undefined;
  const source = replaced ? undefined : await pinnedFacts(store, pin, call);
  const read = { copy, ...(source !== undefined && { source }) };
  const equal = source === undefined ? undefined : sameChecksum(source, copy);
  if (equal === false) throw failed(copied, "expected the source's checksum, found another");
  if (equal === true) return { ...read, proof: proof("checksum") };
  if (source !== undefined && plainMd5(source) && plainMd5(copy))
    throw failed(copied, `expected ETag ${pin.etag}, the source's MD5, found ${etag}`);
  return { ...read, proof: proof("size") };
}

/** The source as it is now. Where the store does not fence copies, it must still be the pinned one; else a missing or changed source only proves nothing. */
async function pinnedFacts(store: Store, pin: Pin, call: Call): Promise<ObjectFacts | undefined> {
  const now = await findFacts(store, { object: pinnedRef(pin) }, call);
  if (now !== undefined && isPinned(now.details, pin)) return now;
  if (!store.connection.conditionalCopy)
    throw sourceChanged(
      pin,
      now === undefined ? "found none after the copy" : `found ${now.details.etag} after the copy`,
    );
  return undefined;
}

/** The version that a copy made, where it made one. */
export function copiedRef({ bucket, key, versionId }: Copied): ObjectRef {
  return { bucket, key, ...(versionId !== undefined && { versionId }) };
}

/** The pinned version, where there is one. */
export function pinnedRef({ bucket, key, versionId }: Pin): ObjectRef {
  return { bucket, key, ...(versionId !== undefined && { versionId }) };
}

/** Whether two objects have the same content by a checksum of the whole object; `undefined` where they share none. */
export function sameChecksum(one: ObjectFacts, other: ObjectFacts): boolean | undefined {
  const mine = wholeChecksums(one);
  const theirs = wholeChecksums(other);
  const common = Object.keys(mine).find((algorithm) => theirs[algorithm] !== undefined);
  return common === undefined ? undefined : mine[common] === theirs[common];
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html */
function wholeChecksums({ details, checksumType }: ObjectFacts): Readonly<Record<string, string>> {
  const whole = checksumType === "FULL_OBJECT" || (checksumType === undefined && isSinglePartEtag(details.etag));
  return whole ? (details.checksums ?? {}) : {};
}

/** SSE-KMS and SSE-C objects have ETags of the same form that are no MD5. https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html */
function plainMd5({ details }: ObjectFacts): boolean {
  return isSinglePartEtag(details.etag) && (details.encryption === undefined || details.encryption === "AES256");
}

function failed(copied: Copied, found: string): ActivityError {
  return new ActivityError("VerificationFailed", `the copy ${nameOf(copied)} is not proven: ${found}`);
}

/** Whether the destination already holds the pinned content; equal size alone proves nothing here. */
export async function proves(
  store: Store,
  request: Parameters<S3["proves"]>[0],
  call: Call,
): Promise<CopyProof | undefined> {
  const { source, bucket, key, ours } = request;
  const copy = await findFacts(store, { object: { bucket, key } }, call);
  if (copy === undefined || copy.details.size !== source.size) return undefined;
  const { etag, versionId, size } = copy.details;
  const proof = (verified: Verified): CopyProof => ({
    bucket,
    key,
    etag,
    size,
    verified,
    ...(versionId !== undefined && { versionId }),
  });
  if (isSinglePartEtag(etag) && etag === unquoteEtag(source.etag)) return proof("etag");
  if (ours !== undefined && ours.bucket === bucket && ours.key === key && ours.etag === etag && ours.size === size)
    return proof(ours.verified);
  if (request.sourceElsewhere === true) return undefined;
  const now = await findFacts(store, { object: pinnedRef(source) }, call);
  if (now === undefined || !isPinned(now.details, source)) return undefined;
  return sameChecksum(now, copy) === true ? proof("checksum") : undefined;
}
