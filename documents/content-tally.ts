import { createHash } from "node:crypto";
import { documentIncomplete } from "./errors.ts";

export type ContentFacts = { readonly size: number; readonly sha256: string };

/** Counts and hashes content as it is written. */
export type ContentTally = {
  /** Throws `DocumentIncomplete` as soon as more comes than was promised. */
  add(chunk: Uint8Array): void;
  /** Called after the last chunk; may be asked again. Throws `DocumentIncomplete` where less came than was promised. */
  finish(): ContentFacts;
};

/** Starts a tally; `expected` is the size that was promised, in bytes. */
export function tallyContent(name: string, expected: number | undefined): ContentTally {
  const hash = createHash("sha256");
  let size = 0;
  let facts: ContentFacts | undefined;
  return {
    add(chunk) {
      size += chunk.length;
      if (expected !== undefined && size > expected)
        throw documentIncomplete(name, `has more than the expected ${expected} bytes`);
      hash.update(chunk);
    },
    finish() {
      if (expected !== undefined && size !== expected)
        throw documentIncomplete(name, `ended after ${size} of the expected ${expected} bytes`);
      facts ??= { size, sha256: hash.digest("hex") };
      return facts;
    },
  };
}
