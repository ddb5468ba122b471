import type { Acl } from "./acl.ts";
import type { Body } from "./body.ts";

export type ChecksumAlgorithm = "CRC32" | "CRC32C" | "CRC64NVME" | "SHA1" | "SHA256";

/** A checksum as S3 keeps it: base64, `-N` appended when it is a checksum of part checksums. */
export type Checksum = { algorithm: ChecksumAlgorithm; type: "FULL_OBJECT" | "COMPOSITE"; value: string };

export type Encryption = {
  algorithm: "AES256" | "aws:kms" | "aws:kms:dsse";
  kmsKeyId?: string;
  bucketKey?: boolean;
  context?: string;
  /** Set for SSE-C: the MD5 of the customer's key, base64. The key itself is never kept. */
  customerKeyMd5?: string;
};

/** What a copy carries over unless it is told to replace it. */
export type ObjectFacts = {
  /** Content-Type and its kin, lower-case names. */
  headers: Record<string, string>;
  /** User metadata without the `x-amz-meta-` prefix. */
  metadata: Record<string, string>;
  storageClass: string;
  encryption: Encryption;
};

export type StoredPart = { number: number; size: number; etag: string; checksum?: Checksum };

/** One version of one key. `previous` is the next older version. */
export type StoredObject = {
  key: string;
  body: Body;
  /** Without quotes. */
  etag: string;
  /** Milliseconds, whole seconds only, as S3 keeps them. */
  lastModified: number;
  facts: ObjectFacts;
  tags?: readonly Tag[];
  checksum?: Checksum;
  parts?: readonly StoredPart[];
  /** Undefined where the bucket never had versioning; `"null"` under suspended versioning. */
  versionId?: string;
  deleteMarker?: true;
  /** Absent: the bucket's owner owns it, and nobody else may do anything. */
  acl?: Acl;
  retention?: Retention;
  legalHold?: boolean;
  /** A copy of an archived object that can be read; `until` in milliseconds. */
  restored?: { until: number };
  previous?: StoredObject;
};

/** Until when (milliseconds) a version may not be deleted. */
export type Retention = { mode: "GOVERNANCE" | "COMPLIANCE"; until: number };

export type Tag = { key: string; value: string };

export const PLAIN_FACTS: ObjectFacts = Object.freeze({
  headers: Object.freeze({ "content-type": "binary/octet-stream" }),
  metadata: Object.freeze({}),
  storageClass: "STANDARD",
  encryption: Object.freeze({ algorithm: "AES256" }),
});

/** The present, cut to whole seconds. */
export function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000) * 1000;
}

/** The version id as requests and listings name it. */
export function versionName(object: StoredObject): string {
  return object.versionId ?? "null";
}
