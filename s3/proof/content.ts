import type { Readable } from "node:stream";
import { ActivityError } from "../../model/activity-error.ts";
import { type DigestKind, startDigest } from "../../model/content/digest.ts";
import type { ObjectDetails, Verified } from "../../model/entities.ts";
import { isSinglePartEtag } from "../../model/etag.ts";
import { type About, nameOf } from "../error-mapping.ts";
import { pulledStream } from "../parts/download/pulled-stream.ts";
import type { ObjectFacts } from "../requests/object-facts.ts";

/** What an object's content is compared with. */
export type ContentCheck = {
  readonly by: Exclude<Verified, "size">;
  /** The digest to take of all its bytes. */
  readonly kind: DigestKind;
  /** `unknown`: the comparison turned out to mean nothing. */
  verdict(digest: string): Promise<"same" | "other" | "unknown">;
};

/** The size of the object's parts, where it was uploaded in parts; and whether all but the last have it. */
export type KnownParts = { readonly size: number; readonly areAlike: () => Promise<boolean> };

/**
 * The strongest comparison that the store's own words allow: a checksum of the whole, the MD5 that is the ETag, or the ETag that follows
 * from the MD5s of the parts. `undefined` where it says nothing about the bytes.
 */
export function contentCheck(
  { details, checksumType }: ObjectFacts,
  parts: KnownParts | undefined,
): ContentCheck | undefined {
  const etag = details.etag.toLowerCase();
  if (hasMd5Etag(details)) return exactly("etag", "md5", etag);
  if (parts !== undefined) {
    const verdict = async (digest: string) =>
      digest === etag ? "same" : (await parts.areAlike()) ? "other" : "unknown";
    return { by: "etag", kind: { algorithm: "parts", partSize: parts.size }, verdict };
  }
  if (checksumType !== "FULL_OBJECT") return undefined;
  for (const algorithm of ["sha256", "sha1", "crc32"] as const) {
    const expected = details.checksums?.[algorithm.toUpperCase()];
    if (expected !== undefined) return exactly("checksum", algorithm, Buffer.from(expected, "base64").toString("hex"));
  }
  return undefined;
}

/**
 * Whether the ETag is the MD5 of the content: not where a key of KMS or the customer's encrypts it, and never in a directory bucket.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
 */
export function hasMd5Etag({ bucket, etag, encryption }: ObjectDetails): boolean {
  return isSinglePartEtag(etag) && hasPlainEtag({ bucket, encryption });
}

/** Whether ETags are made of MD5s here. */
export function hasPlainEtag({
  bucket,
  encryption,
}: Pick<ObjectDetails, "bucket"> & { encryption?: string | undefined }) {
  return (encryption === undefined || encryption === "AES256") && !bucket.endsWith("--x-s3");
}

function exactly(
  by: ContentCheck["by"],
  algorithm: "md5" | "sha1" | "sha256" | "crc32",
  expected: string,
): ContentCheck {
  return { by, kind: { algorithm }, verdict: (digest) => Promise.resolve(digest === expected ? "same" : "other") };
}

type Compared = { readonly about: About; readonly onVerdict: (verdict: "same" | "unknown") => void };

/** Tells how the content compared; `VerificationFailed`, which may be tried again, where the check objects to its digest. */
export async function compare(check: ContentCheck, digest: string, { about, onVerdict }: Compared): Promise<void> {
  const verdict = await check.verdict(digest);
  if (verdict !== "other") return onVerdict(verdict);
  const expected = check.by === "etag" ? "ETag" : "checksum";
  throw new ActivityError(
    "VerificationFailed",
    `the bytes that came of ${nameOf(about)} are not the object's: expected those of its ${expected}, got others`,
    { retryable: true },
  );
}

/** The body, which ends only where the check does not object. */
export function checkedBody(body: Readable, check: ContentCheck, compared: Compared): Readable {
  async function* chunks(): AsyncGenerator<Buffer> {
    const digest = startDigest(check.kind);
    for await (const chunk of body as AsyncIterable<Buffer>) {
      digest.update(chunk);
      yield chunk;
    }
    await compare(check, digest.result(), compared);
  }
  return pulledStream(chunks(), () => body.destroy());
}
