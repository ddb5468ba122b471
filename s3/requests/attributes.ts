import type { PutObjectCommandInput, ServerSideEncryption, StorageClass } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import type { Encryption } from "../../model/entities.ts";
import { nameOf } from "../error-mapping.ts";
import { encodeAllMetadata } from "./metadata-encoding.ts";
import type { ObjectFacts } from "./object-facts.ts";
import type { Overrides, Upload } from "../s3.ts";

/** What the SDK's inputs of PutObject, CopyObject and CreateMultipartUpload have in common. */
export type AttributeInput = Pick<
  PutObjectCommandInput,
  | "ContentType"
  | "CacheControl"
  | "ContentDisposition"
  | "ContentEncoding"
  | "ContentLanguage"
  | "Expires"
  | "Metadata"
  | "Tagging"
  | "StorageClass"
  | "ServerSideEncryption"
  | "SSEKMSKeyId"
  | "BucketKeyEnabled"
  | "WebsiteRedirectLocation"
>;

/** Where these are asked for elsewhere than where they exist, S3 refuses the copy. */
const BOUND_TO_PLACE = new Set(["EXPRESS_ONEZONE", "OUTPOSTS", "SNOW", "FSX_OPENZFS", "FSX_ONTAP"]);

/** An upload's attributes, any of which may be absent. */
type Attributes = { readonly [Name in keyof Upload["attributes"]]: Upload["attributes"][Name] | undefined };

/** Upload attributes as the SDK takes them. */
export function attributeInput(attributes: Attributes): AttributeInput {
  const expires = dateOf(attributes.expires);
  return {
    ContentType: attributes.contentType,
    CacheControl: attributes.cacheControl,
    ContentDisposition: attributes.contentDisposition,
    ContentEncoding: attributes.contentEncoding,
    ContentLanguage: attributes.contentLanguage,
    ...(expires !== undefined && { Expires: expires }),
    ...(attributes.metadata !== undefined && { Metadata: encodeAllMetadata(attributes.metadata) }),
    ...(attributes.tags !== undefined && { Tagging: taggingHeader(attributes.tags) }),
    ...storageInput(attributes.storageClass),
    ...encryptionInput(attributes.encryption),
  };
}

/** Source headers and metadata for a copy that S3 does not carry them in: REPLACE drops all that is not sent again, and so does a multipart copy. */
export function carriedHeaders(facts: ObjectFacts, overrides: Overrides): AttributeInput {
  const { details } = facts;
  if (facts.missingMetadata > 0 && overrides.metadata === undefined)
    throw new ActivityError(
      "MetadataUnreadable",
      `expected all metadata of ${nameOf(details)} in headers, ${facts.missingMetadata} entries cannot stand there`,
    );
  const { contentType, contentEncoding, contentDisposition, contentLanguage, cacheControl, expires, metadata } =
    details;
  return {
    ...attributeInput({
      contentType: overrides.contentType ?? contentType,
      metadata: overrides.metadata ?? metadata,
      contentEncoding,
      contentDisposition,
      contentLanguage,
      cacheControl,
      expires,
    }),
    ...(facts.websiteRedirect !== undefined && { WebsiteRedirectLocation: facts.websiteRedirect }),
  };
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
export function kmsOf({ details, kmsKeyId }: ObjectFacts): Encryption | undefined {
  const type = details.encryption;
  if (type !== "aws:kms" && type !== "aws:kms:dsse") return undefined;
  return { type, ...(kmsKeyId !== undefined && { keyId: kmsKeyId }) };
}

export function encryptionInput(
  encryption: Encryption | undefined,
): Pick<AttributeInput, "ServerSideEncryption" | "SSEKMSKeyId"> {
  if (encryption === undefined) return {};
  // The contract's types are values of the SDK's.
  const ServerSideEncryption = encryption.type as ServerSideEncryption;
  return { ServerSideEncryption, ...("keyId" in encryption && { SSEKMSKeyId: encryption.keyId }) };
}

/** As a query string, which is the form that `x-amz-tagging` has. */
export function taggingHeader(tags: Readonly<Record<string, string>>): string {
  return Object.entries(tags)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join("&");
}

function dateOf(text: string | undefined): Date | undefined {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? undefined : new Date(time);
}
