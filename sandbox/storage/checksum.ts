import { createHash } from "node:crypto";
import { bodyChunks, isReadable, isStored, type Body } from "./body.ts";
import { createCrc32, createCrc32c, createCrc64Nvme, type Crc } from "./crc.ts";
import { MIB } from "../options.ts";
import { S3Error } from "../http/s3-error.ts";
import type { Checksum, ChecksumAlgorithm } from "./stored-object.ts";

export const ALGORITHMS: readonly ChecksumAlgorithm[] = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"];

/** Above this size an object without a checksum of its own is not given one: CRC-64 in JavaScript would hold up the server. */
const DEFAULT_CHECKSUM_LIMIT = 4 * MIB;

/** The name of a checksum in headers (`x-amz-checksum-crc32`) and XML (`ChecksumCRC32`). */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** @throws S3Error InvalidRequest for a name S3 does not know */
export function parseAlgorithm(name: string): ChecksumAlgorithm {
  const upper = name.toUpperCase();
  const found = ALGORITHMS.find((algorithm) => algorithm === upper);
  if (found === undefined) {
    throw new S3Error(
      "InvalidRequest",
      "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
    );
  }
  return found;
}

export function createChecksum(algorithm: ChecksumAlgorithm): Crc {
  if (algorithm === "CRC32") return createCrc32();
  if (algorithm === "CRC32C") return createCrc32c();
  if (algorithm === "CRC64NVME") return createCrc64Nvme();
  const hash = createHash(algorithm.toLowerCase());
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
}

/** The checksum of a body, or undefined where it cannot be read or would take too long. */
export function computeChecksum(body: Body, algorithm: ChecksumAlgorithm): Checksum | undefined {
  if (!isReadable(body)) return undefined;
  const checksum = createChecksum(algorithm);
  for (const chunk of bodyChunks(body)) checksum.update(chunk);
  return { algorithm, type: "FULL_OBJECT", value: checksum.digest().toString("base64") };
}

/** What S3 gives every object that came without a checksum. Left out for large and computed content. */
export function defaultChecksum(body: Body): Checksum | undefined {
  if (body.size > DEFAULT_CHECKSUM_LIMIT || !isStored(body)) return undefined;
  return computeChecksum(body, "CRC64NVME");
}

/** A checksum of part checksums, `<base64>-<parts>`. */
export function compositeChecksum(algorithm: ChecksumAlgorithm, parts: readonly string[]): Checksum {
  const checksum = createChecksum(algorithm);
  for (const part of parts) checksum.update(Buffer.from(part, "base64"));
  return { algorithm, type: "COMPOSITE", value: `${checksum.digest().toString("base64")}-${parts.length}` };
}
