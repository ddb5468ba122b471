import type { PutObjectCommandInput, ServerSideEncryption, StorageClass } from "@aws-sdk/client-s3";
import { ActivityError } from "../../../model/activity-error.ts";
import type { Encryption } from "../../../model/object-attributes.ts";
import { nameOf } from "../../error-mapping.ts";
import { ATTRIBUTES, META, NEVER_COPIED } from "./table.ts";
import type { CustomerKeys } from "../customer-key.ts";
import { encodeAllMetadata, sendable } from "./metadata-encoding.ts";
import type { ObjectFacts } from "../object-facts.ts";
import type { Grants, Overrides } from "../../interface.ts";

/** What the SDK's inputs of PutObject, CopyObject and CreateMultipartUpload have in common, and `Expires` as text; see `createClients`. */
export type AttributeInput = Pick<
  PutObjectCommandInput,
  | "ContentType"
  | "CacheControl"
  | "ContentDisposition"
  | "ContentEncoding"
  | "ContentLanguage"
  | "Metadata"
  | "Tagging"
  | "StorageClass"
  | "ServerSideEncryption"
  | "SSEKMSKeyId"
  | "SSECustomerAlgorithm"
  | "SSECustomerKey"
  | "SSECustomerKeyMD5"
  | "BucketKeyEnabled"
  | "WebsiteRedirectLocation"
  | "ACL"
  | "GrantFullControl"
  | "GrantRead"
  | "GrantReadACP"
  | "GrantWriteACP"
  | "ObjectLockMode"
  | "ObjectLockRetainUntilDate"
  | "ObjectLockLegalHoldStatus"
> & { readonly ExpiresString?: string };

/** Where these are asked for elsewhere than where they exist, S3 refuses the copy. */
const BOUND_TO_PLACE = new Set(["EXPRESS_ONEZONE", "OUTPOSTS", "SNOW", "FSX_OPENZFS", "FSX_ONTAP"]);

/** All request headers together may have 8 KB; tags that take more than this are written by a request of their own. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
const MAX_TAGGING = 2048;

/** What is said of a new object, as the SDK takes it. */
export function attributeInput(attributes: Overrides): AttributeInput {
  const { metadata, tags, storageClass, encryption } = attributes;
  return {
    ...headerInput(({ field }) => attributes[field]),
    ...(metadata !== undefined && { Metadata: encodeAllMetadata(metadata) }),
    ...taggingInput(tags),
    ...storageInput(storageClass),
    ...encryptionInput(encryption),
    ...protectionInput(attributes),
  };
}

type Attribute = (typeof ATTRIBUTES)[number];

function headerInput(valueOf: (attribute: Attribute) => string | undefined): AttributeInput {
  const input: { [Name in Attribute["input"]]?: string } = {};
  for (const attribute of ATTRIBUTES) {
    const value = valueOf(attribute);
    if (value !== undefined) input[attribute.input] = value;
  }
  return input;
}

/**
 * Source headers and metadata for a copy that S3 does not carry them in: REPLACE drops all that is not sent again, and so does a
 * multipart copy. They go out as they came in, byte for byte.
 *
 * @throws ActivityError `MetadataUnreadable` where some of them could not be sent again
 */
export function carriedHeaders(
  { details, carried, missingMetadata }: ObjectFacts,
  overrides: Overrides,
): AttributeInput {
  if (missingMetadata > 0 && overrides.metadata === undefined)
    throw new ActivityError(
      "MetadataUnreadable",
      `expected all metadata of ${nameOf(details)} in headers, ${missingMetadata} entries cannot stand there`,
    );
  const lost = carried.unreadable.find((header) => {
    if (header.startsWith(META)) return overrides.metadata === undefined;
    return ATTRIBUTES.some(({ header: name, field }) => name === header && overrides[field] === undefined);
  });
  if (lost !== undefined)
    throw new ActivityError(
      "MetadataUnreadable",
      `expected ${lost} of ${nameOf(details)} as ASCII or UTF-8, so that it can be sent again; it is neither`,
    );
  return {
    ...headerInput(({ field }) => overrides[field] ?? carried.attributes.get(field)),
    Metadata:
      overrides.metadata === undefined
        ? Object.fromEntries(Array.from(carried.metadata, ([name, value]) => [name, sendable(value)]))
        : encodeAllMetadata(overrides.metadata),
    ...protectionInput(overrides),
  };
}

/** Whether a copy replaces what S3 else carries over as a whole. */
export function replacesHeaders(overrides: Overrides): boolean {
  const replaced = ({ field }: Attribute): boolean => overrides[field] !== undefined && !NEVER_COPIED.has(field);
  return overrides.metadata !== undefined || ATTRIBUTES.some(replaced);
}

/** A copy's storage class: the source's, unless replaced; S3 itself would fall back to STANDARD. */
export function carriedStorageClass(source: string | undefined, overrides: Overrides | undefined): string | undefined {
  if (overrides?.storageClass !== undefined) return overrides.storageClass;
  return source === undefined || source === "STANDARD" || BOUND_TO_PLACE.has(source) ? undefined : source;
}

export function storageInput(storageClass: string | undefined): Pick<AttributeInput, "StorageClass"> {
  // Other stores have classes of their own, so the SDK's list is not the law.
  return storageClass === undefined ? {} : { StorageClass: storageClass as StorageClass };
}

/**
 * A source's KMS encryption, to be asked for again: a copy else gets the bucket's default. SSE-S3 is what every bucket does
 * anyway, and asking for it would undo a stronger default of the destination.
 */
export function kmsOf({ details, kmsKeyId, bucketKey }: ObjectFacts): Encryption | undefined {
  const type = details.encryption;
  if (type !== "aws:kms" && type !== "aws:kms:dsse") return undefined;
  return {
    type,
    ...(kmsKeyId !== undefined && { keyId: kmsKeyId }),
    ...(bucketKey === true && { bucketKey: true }),
  };
}

/** As {@link kmsOf}, unless a customer's key takes its place: S3 takes one of them. */
export function carriedKms(
  { customerKeys }: { readonly customerKeys: CustomerKeys },
  facts: ObjectFacts,
): Encryption | undefined {
  return customerKeys.write === undefined ? kmsOf(facts) : undefined;
}

export function encryptionInput(
  encryption: Encryption | undefined,
): Pick<AttributeInput, "ServerSideEncryption" | "SSEKMSKeyId" | "BucketKeyEnabled"> {
  if (encryption === undefined) return {};
  // The contract's types are values of the SDK's.
  const ServerSideEncryption = encryption.type as ServerSideEncryption;
  if (encryption.type === "AES256") return { ServerSideEncryption };
  const { keyId, bucketKey } = encryption;
  return {
    ServerSideEncryption,
    ...(keyId !== undefined && { SSEKMSKeyId: keyId }),
    ...(bucketKey !== undefined && { BucketKeyEnabled: bucketKey }),
  };
}

/** Who may see an object and how long it must stay, as far as it is said. */
export function protectionInput({
  acl,
  objectLock,
  grants,
}: Overrides): Pick<
  AttributeInput,
  "ACL" | keyof Grants | "ObjectLockMode" | "ObjectLockRetainUntilDate" | "ObjectLockLegalHoldStatus"
> {
  return {
    ...(acl !== undefined && { ACL: acl }),
    ...grants,
    ...(objectLock?.mode !== undefined && { ObjectLockMode: objectLock.mode }),
    ...(objectLock?.retainUntil !== undefined && { ObjectLockRetainUntilDate: new Date(objectLock.retainUntil) }),
    ...(objectLock?.legalHold !== undefined && { ObjectLockLegalHoldStatus: objectLock.legalHold ? "ON" : "OFF" }),
  };
}

type Tags = Readonly<Record<string, string>>;

/** Tags for a write's header; none where there are none, or where they do not fit: see `settleTags`. */
export function taggingInput(tags: Tags | undefined): Pick<AttributeInput, "Tagging"> {
  const header = taggingHeader(tags ?? {});
  return header === "" || header.length > MAX_TAGGING ? {} : { Tagging: header };
}

/** Whether tags are too long for a write's header. */
export function tagsOverflow(tags: Tags): boolean {
  return taggingHeader(tags).length > MAX_TAGGING;
}

/** As a query string, which is the form that `x-amz-tagging` has. */
function taggingHeader(tags: Tags): string {
  return Object.entries(tags)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join("&");
}
