import { createHash, type Hash } from "node:crypto";
import type { Readable } from "node:stream";
import zlib from "node:zlib";
import { ActivityError } from "../../model/activity-error.ts";
import type { ObjectDetails, Verified } from "../../model/entities.ts";
import { type About, nameOf } from "../error-mapping.ts";
import { isSinglePartEtag } from "../../model/etag.ts";
import { partEtags } from "../parts/etags.ts";
import { pulledStream } from "../parts/download/pulled-stream.ts";
import type { ObjectFacts } from "../requests/object-facts.ts";

/** What an object's content is compared with as it passes. */
export type ContentCheck = {
  readonly by: Exclude<Verified, "size">;
  update(chunk: Buffer): void;
  /** After the last chunk. `unknown`: the comparison turned out to mean nothing. */
  verdict(): Promise<"same" | "other" | "unknown">;
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
  if (hasMd5Etag(details)) {
    const md5 = createHash("md5");
    return exactly("etag", md5, () => md5.digest("hex") === details.etag.toLowerCase());
  }
  if (parts !== undefined) return byParts(details.etag, parts);
  if (checksumType !== "FULL_OBJECT") return undefined;
  for (const algorithm of ["sha256", "sha1"]) {
    const expected = details.checksums?.[algorithm.toUpperCase()];
    const hash = createHash(algorithm);
    if (expected !== undefined) return exactly("checksum", hash, () => hash.digest("base64") === expected);
  }
  return byCrc32(details.checksums?.["CRC32"]);
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

function exactly(by: ContentCheck["by"], hash: Hash, isSame: () => boolean): ContentCheck {
  return {
    by,
    update: (chunk) => void hash.update(chunk),
    verdict: () => Promise.resolve(isSame() ? "same" : "other"),
  };
}

function byParts(etag: string, parts: KnownParts): ContentCheck {
  const hashes = partEtags(parts.size);
  return {
    by: "etag",
    update: (chunk) => hashes.update(chunk),
    async verdict() {
      if (hashes.etag() === etag.toLowerCase()) return "same";
      return (await parts.areAlike()) ? "other" : "unknown";
    },
  };
}

function byCrc32(expected: string | undefined): ContentCheck | undefined {
  if (expected === undefined) return undefined;
  let sum = 0;
  return {
    by: "checksum",
    update(chunk) {
      sum = zlib.crc32(chunk, sum);
    },
    verdict() {
      const got = Buffer.alloc(4);
      got.writeUInt32BE(sum >>> 0);
      return Promise.resolve(got.toString("base64") === expected ? "same" : "other");
    },
  };
}

/** The body, which ends only where the check does not object; `VerificationFailed`, which may be tried again, where it does. */
export function checkedBody(
  body: Readable,
  check: ContentCheck,
  { about, onVerdict }: { readonly about: About; readonly onVerdict: (verdict: "same" | "unknown") => void },
): Readable {
  async function* chunks(): AsyncGenerator<Buffer> {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      check.update(chunk);
      yield chunk;
    }
    const verdict = await check.verdict();
    if (verdict === "other")
      throw new ActivityError(
        "VerificationFailed",
        `the bytes that came of ${nameOf(about)} are not the object's: expected those of its ${check.by === "etag" ? "ETag" : "checksum"}, got others`,
        { retryable: true },
      );
    onVerdict(verdict);
  }
  return pulledStream(chunks(), () => body.destroy());
}
