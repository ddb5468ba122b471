import { ActivityError } from "../../model/activity-error.ts";
import type { ObjectDetails, ObjectRef } from "../../model/entities.ts";
import type { ObjectLock } from "../../model/attributes/object-lock.ts";
import { type About, nameOf, unproven } from "../error-mapping.ts";
import { unquoteEtag } from "../../model/etag.ts";
import { ATTRIBUTES, type AttributeField, headerText, META } from "./attributes/table.ts";
import { CUSTOMER_ENCRYPTION } from "./customer-key.ts";
import { decodeMetadata } from "./attributes/metadata-encoding.ts";

/** Of an HTTP answer, names in lower case. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What an answer's headers say of an object: its entity, and what else a copy has to carry over. */
export type ObjectFacts = {
  readonly details: ObjectDetails;
  /** `FULL_OBJECT` or `COMPOSITE`; only the former can be compared between objects cut into different parts. */
  readonly checksumType?: string;
  readonly kmsKeyId?: string;
  readonly bucketKey?: boolean;
  readonly tagCount: number;
  /** Metadata entries that S3 has and could not put into headers. */
  readonly missingMetadata: number;
  readonly carried: Carried;
};

/** An object's own headers as they have to be sent again: text of their bytes, encoded words left as they are. */
export type Carried = {
  readonly attributes: ReadonlyMap<AttributeField, string>;
  /** Names without their prefix. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Headers whose bytes are no UTF-8, so that they cannot be signed and sent again. */
  readonly unreadable: readonly string[];
};

/** Reads an answer about an object; one without ETag or date is not S3's. */
export function factsFromHeaders(headers: Headers, object: ObjectRef, about: About): ObjectFacts {
  const text = (name: string): string | undefined => {
    const value = headers[name];
    return typeof value === "string" ? value : value?.join(", ");
  };
  const carried = carriedFrom(headers);
  const etag = unquoteEtag(text("etag") ?? "");
  const modified = Date.parse(text("last-modified") ?? "");
  if (etag === "" || Number.isNaN(modified)) throw unproven(about, "an ETag and a date", 200);
  const versionId = text("x-amz-version-id");
  if (object.versionId !== undefined && object.versionId !== (versionId ?? "null"))
    throw versionIgnored(object, versionId);
  const customer = text("x-amz-server-side-encryption-customer-algorithm");
  const encryption = customer === undefined ? text("x-amz-server-side-encryption") : CUSTOMER_ENCRYPTION;
  const kmsKeyId = text("x-amz-server-side-encryption-aws-kms-key-id");
  const checksumType = text("x-amz-checksum-type");
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
      ...told(headers, carried),
      ...present("encryption", encryption),
      metadata: metadataOf(headers),
      ...lockOf(text),
      ...checksumsOf(headers),
    },
    tagCount: Number(text("x-amz-tagging-count") ?? 0),
    missingMetadata: Number(text("x-amz-missing-meta") ?? 0),
    ...(kmsKeyId !== undefined && { kmsKeyId }),
    ...(checksumType !== undefined && { checksumType }),
    ...(text("x-amz-server-side-encryption-bucket-key-enabled") === "true" && { bucketKey: true }),
    carried,
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

function carriedFrom(headers: Headers): Carried {
  const attributes = new Map<AttributeField, string>();
  const metadata = new Map<string, string>();
  const unreadable: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    const field = ATTRIBUTES.find(({ header }) => header === name)?.field;
    if (field === undefined && !name.startsWith(META)) continue;
    const text = headerText(typeof value === "string" ? value : value.join(", "));
    const kept = field === "contentEncoding" && text !== undefined ? contentEncoding(text) : text;
    if (text === undefined) unreadable.push(name);
    else if (field === undefined) metadata.set(name.slice(META.length), text);
    else if (kept !== undefined) attributes.set(field, kept);
  }
  return { attributes, metadata, unreadable };
}

/** What an entity says of the headers: their text, or what can be read of it. */
function told(headers: Headers, { attributes }: Carried): Partial<Record<AttributeField, string>> {
  const found: Partial<Record<AttributeField, string>> = {};
  for (const { field, header } of ATTRIBUTES) {
    const raw = headers[header];
    const value = attributes.get(field) ?? (field === "contentEncoding" || typeof raw !== "string" ? undefined : raw);
    if (value !== undefined) found[field] = value;
  }
  return found;
}

function metadataOf(headers: Headers): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(META) || value === undefined) continue;
    metadata[name.slice(META.length)] = decodeMetadata(typeof value === "string" ? value : value.join(", "));
  }
  return metadata;
}

/** Only whoever may see the lock is told of it. */
function lockOf(text: (name: string) => string | undefined): { objectLock?: ObjectLock } {
  const mode = text("x-amz-object-lock-mode");
  const until = Date.parse(text("x-amz-object-lock-retain-until-date") ?? "");
  const legalHold = text("x-amz-object-lock-legal-hold") === "ON";
  const retained = (mode === "GOVERNANCE" || mode === "COMPLIANCE") && !Number.isNaN(until);
  if (!retained && !legalHold) return {};
  return {
    objectLock: {
      ...(retained && { mode, retainUntil: new Date(until).toISOString() }),
      ...(legalHold && { legalHold }),
    },
  };
}

const CHECKSUM = /^x-amz-checksum-(crc32|crc32c|crc64nvme|sha1|sha256|sha512|md5|xxhash\d+)$/;

function checksumsOf(headers: Headers): { checksums?: Record<string, string> } {
  const found = Object.entries(headers).flatMap(([name, value]) => {
    const algorithm = CHECKSUM.exec(name)?.[1];
    return algorithm !== undefined && typeof value === "string" ? [[algorithm.toUpperCase(), value] as const] : [];
  });
  return found.length === 0 ? {} : { checksums: Object.fromEntries(found) };
}
