/**
 * The headers that belong to an object: what HEAD tells, what a copy has to carry and what a write may say, in one list for all ways.
 * `field` is the entity's and the contracts' name, `input` the SDK's.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
 */
export const ATTRIBUTES = [
  { field: "contentType", header: "content-type", input: "ContentType" },
  { field: "contentEncoding", header: "content-encoding", input: "ContentEncoding" },
  { field: "contentDisposition", header: "content-disposition", input: "ContentDisposition" },
  { field: "contentLanguage", header: "content-language", input: "ContentLanguage" },
  { field: "cacheControl", header: "cache-control", input: "CacheControl" },
  // As text: S3 keeps whatever it was given, "0" too, of which the SDK's Expires would make a date.
  { field: "expires", header: "expires", input: "ExpiresString" },
  { field: "websiteRedirect", header: "x-amz-website-redirect-location", input: "WebsiteRedirectLocation" },
] as const;

export type AttributeField = (typeof ATTRIBUTES)[number]["field"];

/** What a plain CopyObject never carries: it has to be asked for. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
export const NEVER_COPIED: ReadonlySet<AttributeField> = new Set(["websiteRedirect"]);

export const META = "x-amz-meta-";

const ASCII = /^[\x20-\x7e\t]*$/;

/**
 * A header's value as text. HTTP libraries read bytes as Latin-1; S3 and its kin keep the bytes that they were sent, which are UTF-8
 * where a browser or curl sent a name. `undefined` where they are neither ASCII nor UTF-8.
 */
export function headerText(value: string): string | undefined {
  if (ASCII.test(value)) return value;
  const bytes = Buffer.from(value, "latin1");
  // What is no Latin-1 was read as text already.
  if (bytes.toString("latin1") !== value) return value;
  const text = bytes.toString("utf8");
  return text.includes("\uFFFD") && !Buffer.from(text).equals(bytes) ? undefined : text;
}

/** A header's text as HTTP libraries send its UTF-8 bytes. */
export function headerBytes(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text).toString("latin1");
}
