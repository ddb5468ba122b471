import { createHash } from "node:crypto";
import zlib from "node:zlib";
import { partEtags } from "./part-etags.ts";

/** A digest of content: of all its bytes, or the ETag that S3 gives to an upload of it in parts of `partSize` bytes. Plain, so that a thread can be told. */
export type DigestKind =
  | { readonly algorithm: "md5" | "sha1" | "sha256" | "crc32" }
  | { readonly algorithm: "parts"; readonly partSize: number };

export type Digest = {
  update(chunk: Buffer): void;
  /** In hex; asked for once, after the last byte. */
  result(): string;
};

/** Starts a digest; bytes come in their order. */
export function startDigest(kind: DigestKind): Digest {
  if (kind.algorithm === "parts") {
    const parts = partEtags(kind.partSize);
    return { update: (chunk) => parts.update(chunk), result: () => parts.etag() };
  }
  if (kind.algorithm === "crc32") return sum();
  const hash = createHash(kind.algorithm);
  return { update: (chunk) => void hash.update(chunk), result: () => hash.digest("hex") };
}

function sum(): Digest {
  let value = 0;
  return {
    update(chunk) {
      value = zlib.crc32(chunk, value);
    },
    result: () => (value >>> 0).toString(16).padStart(8, "0"),
  };
}
