import type { Pin } from "../interface.ts";

/** RFC 3986 for one segment: `encodeURIComponent` leaves `!'()*` alone, which signatures do not. */
export function encodeSegment(segment: string): string {
  if (PLAIN.test(segment) && !segment.includes("/")) return segment;
  return encodeURIComponent(segment).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Characters that RFC 3986 never encodes, and slashes: most keys are nothing else. */
const PLAIN = /^[A-Za-z0-9\-._~/]*$/;

/** A key as it stands in a URL's path: every segment encoded, the slashes kept. */
export function encodeKey(key: string): string {
  return PLAIN.test(key) ? key : key.split("/").map(encodeSegment).join("/");
}

/**
 * The value of `x-amz-copy-source`. The SDK sends it raw, so a `?` in a key would select a version and a character beyond
 * Latin-1 would throw. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
export function copySource(source: Pick<Pin, "bucket" | "key" | "versionId">): string {
  const path = `${encodeSegment(source.bucket)}/${encodeKey(source.key)}`;
  return source.versionId === undefined ? path : `${path}?versionId=${encodeSegment(source.versionId)}`;
}
