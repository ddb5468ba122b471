/** S3's limit on a key, in bytes of UTF-8. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
export const MAX_KEY_BYTES = 1024;

/** What {@link keyProblem} says of segments, as a regular expression for JSON Schema. */
export const SAFE_KEY = String.raw`^(?!\.{1,2}(?:/|$))(?![\s\S]*/\.{1,2}(?:/|$))`;

/**
 * Why a key cannot be sent safely, or `undefined` where it can.
 * A `.` or `..` segment is resolved by many HTTP clients and proxies and then names another object, even in
 * another bucket on path style; a lone surrogate has no UTF-8 form, so two different keys would become one.
 */
export function keyProblem(key: string): string | undefined {
  if (key === "") return "expected a key of 1 to 1,024 bytes";
  if (!key.isWellFormed()) return "expected well-formed Unicode; it has a lone surrogate";
  const bytes = Buffer.byteLength(key);
  if (bytes > MAX_KEY_BYTES) return `expected at most 1,024 bytes of UTF-8; it has ${bytes.toLocaleString("en-US")}`;
  if (key.split("/").some((segment) => segment === "." || segment === ".."))
    return 'expected no "." or ".." segment, which proxies resolve to another object';
  return undefined;
}

/** What two keys begin with alike. */
export function sharedStart(one: string, other: string): string {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  // Not half of a character.
  return one.slice(0, length).isWellFormed() ? one.slice(0, length) : one.slice(0, length - 1);
}
