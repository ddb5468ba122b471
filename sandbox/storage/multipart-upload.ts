import type { Body } from "./body.ts";
import type { Acl } from "./acl.ts";
import type { Checksum, ChecksumAlgorithm, ObjectFacts, StoredObject, Tag } from "./stored-object.ts";

export type UploadedPart = { number: number; body: Body; etag: string; checksum?: Checksum; lastModified: number };

/** An open multipart upload. */
export type MultipartUpload = {
  uploadId: string;
  bucket: string;
  key: string;
  initiated: number;
  facts: ObjectFacts;
  tags?: readonly Tag[];
  acl?: Acl;
  /** What Object Lock shall keep. */
  protection: Pick<StoredObject, "retention" | "legalHold">;
  checksum?: { algorithm: ChecksumAlgorithm; type: Checksum["type"] };
  parts: Map<number, UploadedPart>;
};
