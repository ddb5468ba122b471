import { ActivityError } from "../model/activity-error.ts";
import type { DocumentPointer } from "../model/entities.ts";

/** Nothing is stored under the id: never written, deleted, or read already by somebody for whom it was meant once. */
export function documentNotFound(id: string, location: string): ActivityError {
  return new ActivityError(
    "DocumentNotFound",
    `no document ${id} in ${location}; it was read or deleted already, or it lies in another store: producer, workers and dashboard must have the same DOCUMENTS_URL, and share its folder`,
  );
}

/** Its time is over, whether or not the sweeper came by. */
export function documentExpired(id: string, expiresAt: string): ActivityError {
  return new ActivityError("DocumentExpired", `document ${id} expired at ${expiresAt}`);
}

/** What is stored is not what the pointer names. */
export function documentCorrupt(id: string, problem: string, cause?: unknown): ActivityError {
  return new ActivityError("DocumentCorrupt", `document ${id} ${problem}`, { cause });
}

/** The content did not come whole; nothing was stored. Another try may get it whole. */
export function documentIncomplete(name: string, problem: string, cause?: unknown): ActivityError {
  return new ActivityError("DocumentIncomplete", `document ${JSON.stringify(name)} ${problem}; nothing was stored`, {
    retryable: true,
    cause,
  });
}

/** No room. Retryable: room is made by readers and by the sweeper. */
export function diskFull(location: string, cause: unknown): ActivityError {
  return new ActivityError("DiskFull", `no space left in ${location}; the unfinished document was removed`, {
    retryable: true,
    cause,
  });
}

/** Throws `DocumentExpired` where the document's time, or that of the pointer to it, is over. */
export function refuseExpired(pointer: DocumentPointer, now: number): void {
  if (Date.parse(pointer.expiresAt) <= now) throw documentExpired(pointer.id, pointer.expiresAt);
}

/** Throws `DocumentCorrupt` where a document is not the one that the pointer names. */
export function refuseOther(pointer: DocumentPointer, stored: DocumentPointer): void {
  if (stored.size === pointer.size && stored.sha256 === pointer.sha256) return;
  throw documentCorrupt(
    pointer.id,
    `has other content than its pointer says (it was replaced, or the pointer was changed): expected ${pointer.size} bytes with sha256 ${pointer.sha256}, got ${stored.size} bytes with ${stored.sha256}`,
  );
}

/** Whether two pointers name one document: content, name and end of life are those of one write. */
export function isSameDocument(one: DocumentPointer, other: DocumentPointer): boolean {
  return (
    one.id === other.id &&
    one.sha256 === other.sha256 &&
    one.size === other.size &&
    one.name === other.name &&
    Date.parse(one.expiresAt) === Date.parse(other.expiresAt)
  );
}
