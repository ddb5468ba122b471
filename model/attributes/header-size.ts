import type { ObjectAttributes } from "../object-attributes.ts";

type Sent = Omit<ObjectAttributes, "acl" | "objectLock">;

/** The headers of a request that writes may have 8 KB together. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
const MAX_HEADERS = 8192;
/** What every request has beside: host, date, digest, signature and the client's name. */
const OF_EVERY_REQUEST = 1024;
/** More tags than this go in a request of their own. */
const MAX_TAGGING = 2048;

const NAMES: Readonly<Record<string, string>> = {
  contentType: "content-type",
  contentEncoding: "content-encoding",
  contentDisposition: "content-disposition",
  contentLanguage: "content-language",
  cacheControl: "cache-control",
  expires: "expires",
  websiteRedirect: "x-amz-website-redirect-location",
};
const PRINTABLE = /^[\x20-\x7e]*$/;

/**
 * Why what is said of an object does not fit into the headers of one request, and the field that takes the most of them; `undefined` where it fits.
 *
 * @param said the attributes, as they were given
 */
export function headerSizeProblem(said: Sent): { readonly field: keyof Sent; readonly message: string } | undefined {
  const sizes: [keyof Sent, number][] = [
    // Of this list's own names.
    ...Object.entries(NAMES).map(
      ([field, name]) => [field, sizeOf(name, said[field as "contentType"])] as [keyof Sent, number],
    ),
    ["metadata", metadataSize(said.metadata ?? {})],
    ["tags", taggingSize(said.tags ?? {})],
    ["encryption", sizeOf("x-amz-server-side-encryption-aws-kms-key-id", keyIdOf(said.encryption))],
  ];
  const all = sizes.reduce((sum, [, size]) => sum + size, 0);
  if (all <= MAX_HEADERS - OF_EVERY_REQUEST) return undefined;
  const [field, most] = sizes.toSorted(([, one], [, other]) => other - one)[0] ?? ["metadata", 0];
  const bound = (MAX_HEADERS - OF_EVERY_REQUEST).toLocaleString("en");
  const message = `expected at most ${bound} bytes of headers, metadata and tags together, as S3 takes 8 KB of headers with a request; they have ${all.toLocaleString("en")}, ${most.toLocaleString("en")} of them here`;
  return { field, message };
}

/** A header that is signed: its name goes once more into the list of what was signed. */
function sizeOf(name: string, value: string | undefined): number {
  return value === undefined ? 0 : 2 * name.length + Buffer.byteLength(value) + 5;
}

/** What is not ASCII is sent as an encoded word. */
function metadataSize(metadata: Readonly<Record<string, string>>): number {
  return Object.entries(metadata).reduce((sum, [name, value]) => {
    const plain = PRINTABLE.test(value) && !value.includes("=?") && value.trim() === value;
    const sent = plain ? value.length : 12 + 4 * Math.ceil(Buffer.byteLength(value) / 3);
    return sum + 2 * ("x-amz-meta-".length + name.length) + sent + 5;
  }, 0);
}

function taggingSize(tags: Readonly<Record<string, string>>): number {
  // Half a surrogate pair is refused where the tags themselves are looked at.
  const pairs = Object.entries(tags).map(([name, value]) => [name.toWellFormed(), value.toWellFormed()] as const);
  const sent = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  const { length } = sent.join("&");
  return length === 0 || length > MAX_TAGGING ? 0 : length + 2 * "x-amz-tagging".length + 5;
}

function keyIdOf(encryption: Sent["encryption"]): string | undefined {
  return encryption !== undefined && "keyId" in encryption ? encryption.keyId : undefined;
}
