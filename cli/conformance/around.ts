import type { CapabilityName } from "../../worker/inspect.ts";

/** What is done where a store lacks it. A conformance run says so only where the checks that name the capability hold. */
export const AROUND: Partial<Record<CapabilityName, string>> = {
  "conditional-copy": "the source is compared with its pin after the copy, and kept where it changed",
  "conditional-part-copy": "the source is compared with its pin after the copy, and kept where it changed",
  "conditional-delete": "a HEAD just before each delete; moves say best-effort",
  "conditional-bulk-delete": "a HEAD just before each delete; moves say best-effort",
  "conditional-write": "a HEAD before the write, and If-Match without quotes where that is what the store wants",
  "conditional-copy-write": "a HEAD before the copy",
  "conditional-multipart-write": "a HEAD before the upload",
  "part-copy": "the object is read and written instead",
  "checksums-checked": "the ETag is compared with the MD5 of what was sent",
  "checksums-kept": "copies are proven by ETag or by size",
  "trailing-checksums": "the profile says checksums: when-required",
  "bulk-delete": "with Content-MD5, or one by one",
  "url-encoded-listing": "keys are read as they are listed",
};

/** What follows where a store lacks something and nothing can be done about it. */
export const FOLLOWS: Partial<Record<CapabilityName, string>> = {
  signatures: "whoever reaches the store may do anything there",
  tags: "objects have no tags there",
  versions: "versions cannot be named",
  "storage-classes": "leave storageClass out",
  encryption: "leave encryption out",
  "head-etags": "an answer without an ETag proves nothing: reads, copies and moves fail",
  "etags-tell-content": "an ETag proves nothing there: do not move where others write",
  "version-ids": "requests that name a version fail with VersionIgnored",
  ranges: "large objects are read in one stream, and get-object with a range fails",
  "prefix-listing": "listings by prefix fail with PrefixIgnored",
  "names-by-case": "keys that differ by case only are one object",
  "names-by-slashes": "keys that differ by a doubled slash only are one object",
  "names-by-unicode": "keys that differ by their Unicode form only are one object",
  "key-length": "longer keys are refused",
  "metadata-size": "objects with more metadata are refused, or lose it",
};
