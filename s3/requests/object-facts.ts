import { ActivityError } from "../../model/activity-error.ts";
import type { ObjectDetails, ObjectRef } from "../../model/entities.ts";
import { type About, nameOf, unproven } from "../error-mapping.ts";
import { unquoteEtag } from "../etag.ts";
import { decodeMetadata } from "./metadata-encoding.ts";

/** Of an HTTP answer, names in lower case. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What an answer's headers say of an object: its entity, and what else a copy has to carry over. */
export type ObjectFacts = {
  readonly details: ObjectDetails;
  /** `FULL_OBJECT` or `COMPOSITE`; only the former can be compared between objects cut into different parts. */
  readonly checksumType?: string;
  readonly kmsKeyId?: string;
  readonly bucketKey?: boolean;
  /** As sent, which need not be a date. */
  readonly tagCount: number;
  /** Metadata entries that S3 has and could not put into headers. */
  readonly missingMetadata: number;
  readonly websiteRedirect?: string;
};

/** Reads an answer about an object; one without ETag or date is not S3's. */
export function factsFromHeaders(headers: Headers, object: ObjectRef, about: About): ObjectFacts {
  const text = (name: string): string | undefined => {
    const value = headers[name];
    return typeof value === "string" ? value : value?.join(", ");
  };
  const etag = unquoteEtag(text("etag") ?? "");
  const modified = Date.parse(text("last-modified") ?? "");
  if (etag === "" || Number.isNaN(modified)) throw unproven(about, "an ETag and a date", 200);
  const versionId = text("x-amz-version-id");
  if (object.versionId !== undefined && object.versionId !== (versionId ?? "null"))
    throw versionIgnored(object, versionId);
  const kmsKeyId = text("x-amz-server-side-encryption-aws-kms-key-id");
  const checksumType = text("x-amz-checksum-type");
  const websiteRedirect = text("x-amz-website-redirect-location");
  return {
    details: {
      bucket: object.bucket,
      key: object.key,
      size: sizeOf(text("content-range"), text("content-length"), about),
      etag,
      lastModified: new Date(modified).toISOString(),
      storageClass: text("x-amz-storage-class") ?? "STANDARD",
      // Unversioned buckets have no version; a suspended one says "null", which is one that can be named.
      ...(versionId !== undefined && { versionId }),
      ...present("contentType", text("content-type")),
      ...present("contentEncoding", contentEncoding(text("content-encoding"))),
      ...present("contentDisposition", text("content-disposition")),
      ...present("contentLanguage", text("content-language")),
      ...present("cacheControl", text("cache-control")),
      ...present("expires", text("expires")),
      ...present("encryption", text("x-amz-server-side-encryption")),
      metadata: metadataOf(headers),
      ...checksumsOf(headers),
    },
    tagCount: Number(text("x-amz-tagging-count") ?? 0),
    missingMetadata: Number(text("x-amz-missing-meta") ?? 0),
    ...(kmsKeyId !== undefined && { kmsKeyId }),
    ...(checksumType !== undefined && { checksumType }),
    ...(websiteRedirect !== undefined && { websiteRedirect }),
    ...(text("x-amz-server-side-encryption-bucket-key-enabled") === "true" && { bucketKey: true }),
  };
}

/** A store that drops `versionId` answers with whatever is current: nothing of it is about what was asked for. */
function versionIgnored(object: ObjectRef, answered: string | undefined): ActivityError {
  const got = answered === undefined ? "an answer that names no version" : `version ${answered}`;
  return new ActivityError("VersionIgnored", `expected an answer about ${nameOf(object)}, got ${got}`);
}

function present<Name extends string>(name: Name, value: string | undefined): Partial<Record<Name, string>> {
  // A computed key widens to string; Name is what it is.
  return value === undefined ? {} : ({ [name]: value } as Record<Name, string>);
}

/** The whole object's size, also where a range of it was answered. */
function sizeOf(range: string | undefined, length: string | undefined, about: About): number {
  const total = /\/(\d+)$/.exec(range ?? "")?.[1] ?? length;
  const size = Number(total);
  if (total === undefined || !Number.isSafeInteger(size) || size < 0) throw unproven(about, "a size", 200);
  return size;
}

/** The SDK's signed streams add `aws-chunked`, which some stores keep as if it were the object's. */
function contentEncoding(value: string | undefined): string | undefined {
  const kept = value
    ?.split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "" && one !== "aws-chunked");
  return kept === undefined || kept.length === 0 ? undefined : kept.join(",");
}

const META = "x-amz-meta-";

function metadataOf(headers: Headers): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(META) || value === undefined) continue;
    metadata[name.slice(META.length)] = decodeMetadata(typeof value === "string" ? value : value.join(", "));
  }
  return metadata;
}

const CHECKSUM = /^x-amz-checksum-(crc32|crc32c|crc64nvme|sha1|sha256|sha512|md5|xxhash\d+)$/;

function checksumsOf(headers: Headers): { checksums?: Record<string, string> } {
  const found = Object.entries(headers).flatMap(([name, value]) => {
    const algorithm = CHECKSUM.exec(name)?.[1];
    return algorithm !== undefined && typeof value === "string" ? [[algorithm.toUpperCase(), value] as const] : [];
  });
  return found.length === 0 ? {} : { checksums: Object.fromEntries(found) };
}
