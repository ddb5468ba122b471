import type { DocumentStore } from "../../documents/interface.ts";
import type { DocumentPointer } from "../../model/entities.ts";
import { redactText } from "../redact.ts";

/** Documents that one answer names. */
export const LISTED = 200;

/** What a document is of, told by the name that workers give it. */
function originOf(name: string): string | undefined {
  const batch = /^report of batch ([a-z0-9]{8,64}),/.exec(name)?.[1];
  if (batch !== undefined) return `/batches/${batch}`;
  const [, activity, id] = /^(list-[a-z]+)-(.+)\.ndjson$/.exec(name) ?? [];
  return activity !== undefined && id !== undefined ? `/jobs/${activity}/${encodeURIComponent(id)}` : undefined;
}

/** What is held, as far as one answer tells of it. */
export async function listHeld(store: DocumentStore, signal: AbortSignal) {
  const found: DocumentPointer[] = [];
  for await (const pointer of store.list({ signal })) {
    found.push(pointer);
    if (found.length > LISTED) break;
  }
  const shown = found.slice(0, LISTED).map(({ id, name, size, contentType, expiresAt, deleteAfterDownload }) => {
    const origin = originOf(name);
    const told = { id, name: redactText(name), size, contentType, expiresAt, deleteAfterDownload };
    return { ...told, ...(origin !== undefined && { origin }) };
  });
  return { location: redactText(store.location), more: found.length > LISTED, documents: shown };
}
