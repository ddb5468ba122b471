import { randomBytes } from "node:crypto";
import { ActivityError } from "../model/activity-error.ts";
import { DocumentPointer } from "../model/entities.ts";
import type { WriteOptions } from "./interface.ts";

/** Seconds that a document is kept where nobody says otherwise: a day. */
export const DEFAULT_TTL_S = 86_400;

/** Leftovers of writers that died are removed after this long without a sign of life. */
export const ORPHAN_AGE_MS = 3600_000;

/** Ten years; beyond, a number is more likely a mistake (milliseconds, a date) than a wish. */
const MAX_TTL_S = 10 * 365 * 86_400;

/** What is known of a document before its content came. */
export type DocumentDraft = {
  readonly id: string;
  /** An id that the writer chose can have been written before. */
  readonly replaces: boolean;
  readonly name: string;
  readonly contentType: string;
  /** The pointer, once size and hash are known; the time to live counts from `now` (milliseconds). */
  pointer(content: { readonly size: number; readonly sha256: string }, now: number): DocumentPointer;
};

/** Checks the options of a write. Throws `InvalidInput`. */
export function draftDocument(options: WriteOptions): DocumentDraft {
  checkOptions(options);
  const { name, contentType = "application/octet-stream", ttl = DEFAULT_TTL_S, deleteAfterDownload = true } = options;
  const { id } = options;
  check("name", DocumentPointer.shape.name.safeParse(name).success, "expected 1 to 1,024 characters");
  check(
    "contentType",
    DocumentPointer.shape.contentType.safeParse(contentType).success,
    "expected 1 to 8,192 characters",
  );
  check("deleteAfterDownload", typeof deleteAfterDownload === "boolean", "expected true or false");
  check(
    "ttl",
    typeof ttl === "number" && ttl > 0 && ttl <= MAX_TTL_S,
    `expected seconds, more than 0 and at most ${MAX_TTL_S}, got ${ttl}`,
  );
  if (id !== undefined) checkDocumentId(id);
  // 128 random bits: nobody finds a document without its pointer, and two never meet.
  const own = id ?? randomBytes(16).toString("hex");
  return {
    id: own,
    replaces: id !== undefined,
    name,
    contentType,
    pointer: ({ size, sha256 }, now) => ({
      id: own,
      name,
      size,
      contentType,
      sha256,
      expiresAt: new Date(now + ttl * 1000).toISOString(),
      deleteAfterDownload,
    }),
  };
}

const OPTIONS: Readonly<Record<keyof WriteOptions, true>> = {
  name: true,
  contentType: true,
  ttl: true,
  deleteAfterDownload: true,
  id: true,
  size: true,
  leftoverName: true,
  signal: true,
};

/** Callers without types may pass anything, and a misspelt option would be left at a default that nobody chose. */
function checkOptions(options: unknown): void {
  check("options", typeof options === "object" && options !== null, "expected at least a name");
  for (const name of Object.keys(options as object))
    // the check before says so
    check(name, Object.hasOwn(OPTIONS, name), "there is no such option");
}

/** Throws `InvalidInput` for what cannot be an id of ours. Called before any id touches a path or a key. */
export function checkDocumentId(id: string): void {
  check(
    "id",
    DocumentPointer.shape.id.safeParse(id).success,
    "expected 1 to 128 letters, digits, hyphens, underscores",
  );
}

function check(field: string, holds: boolean, expected: string): void {
  if (!holds) throw new ActivityError("InvalidInput", `a document's ${field} is not valid: ${expected}`, { field });
}
