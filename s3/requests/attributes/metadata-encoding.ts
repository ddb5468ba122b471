// Headers carry ASCII. S3 decodes RFC 2047 words when it stores metadata and encodes them again when it answers.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
const WORD = /=\?utf-8\?([bq])\?([^?]*)\?=/gi;
const BETWEEN_WORDS = /(\?=)\s+(?==\?utf-8\?)/gi;
const PRINTABLE = /^[\x20-\x7e]*$/;

/** A metadata value as a header can carry it. */
export function encodeMetadata(value: string): string {
  // What looks like such a word would be decoded, and outer whitespace is no part of a header's value.
  const plain = PRINTABLE.test(value) && !value.includes("=?") && value.trim() === value;
  return plain ? value : `=?UTF-8?B?${Buffer.from(value).toString("base64")}?=`;
}

/** What a store said of metadata, to be sent to one again as it is. Signers take every kind of space for one that may be cut, so those are encoded. */
export function sendable(value: string): string {
  return PRINTABLE.test(value) || !/[^\S ]/.test(value) ? value : encodeMetadata(value);
}

export function encodeAllMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, encodeMetadata(value)]));
}

/** What a metadata header says: encoded words, or raw UTF-8 that Node read as Latin-1, as some stores send it. */
export function decodeMetadata(header: string): string {
  if (!PRINTABLE.test(header)) return decodeUtf8(header);
  return header
    .replaceAll(BETWEEN_WORDS, "$1")
    .replaceAll(WORD, (_, kind: string, text: string) =>
      (kind.toLowerCase() === "b" ? Buffer.from(text, "base64") : quotedPrintable(text)).toString("utf8"),
    );
}

function quotedPrintable(text: string): Buffer {
  const bytes = text
    .replaceAll("_", " ")
    .replaceAll(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1");
}

function decodeUtf8(header: string): string {
  const bytes = Buffer.from(header, "latin1");
  const text = bytes.toString("utf8");
  return bytes.toString("latin1") === header && !text.includes("\uFFFD") ? text : header;
}
