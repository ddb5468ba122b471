import { parseGeneration } from "../generation.ts";

/**
 * Which objects appear in the bucket, under the store's prefix, and why:
 * - `content/<id>/<s|m><nonce>`: the bytes of one write; `s` came in a single request, `m` in parts.
 * - `records/<id>/<generation>-<expiry>-<s|m>`: the pointer as JSON. Put after the content is whole, it is what makes a document visible. Its
 *   key says when it expires and where its content is, so that sweeping needs listings only.
 * The record that sorts last is the document. No key is ever written twice, so that nothing can be deleted by mistake.
 */
export type StoredRecord = {
  readonly id: string;
  readonly key: string;
  readonly generation: string;
  readonly nonce: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly contentKey: string;
};

/** How the content came: LastModified of an upload in parts is when it began, not when it became visible. */
export type ContentKind = "s" | "m";

const RECORD = /^([A-Za-z0-9_-]+)\/(\d{10}-[0-9a-f]{16})-(\d{1,16})-([sm])$/;
const CONTENT = /^([A-Za-z0-9_-]+)\/([sm])([0-9a-f]{16})$/;

/** Of all records, or those of one document. */
export function recordsPrefix(prefix: string, id?: string): string {
  return id === undefined ? `${prefix}records/` : `${prefix}records/${id}/`;
}

export function contentPrefix(prefix: string): string {
  return `${prefix}content/`;
}

export function contentKey(prefix: string, id: string, kind: ContentKind, nonce: string): string {
  return `${contentPrefix(prefix)}${id}/${kind}${nonce}`;
}

export function recordKey(
  prefix: string,
  id: string,
  record: { readonly generation: string; readonly expiresAt: number; readonly kind: ContentKind },
): string {
  return `${recordsPrefix(prefix, id)}${record.generation}-${record.expiresAt}-${record.kind}`;
}

/** `undefined` for an object that is none of ours; it is never touched. */
export function parseRecordKey(prefix: string, key: string): StoredRecord | undefined {
  const [, id, generation, expiresAt, kind] = RECORD.exec(key.slice(recordsPrefix(prefix).length)) ?? [];
  const nonce = parseGeneration(generation ?? "")?.nonce;
  if (id === undefined || generation === undefined || nonce === undefined || (kind !== "s" && kind !== "m"))
    return undefined;
  return { id, key, generation, nonce, expiresAt: Number(expiresAt), contentKey: contentKey(prefix, id, kind, nonce) };
}

/** `undefined` for an object that is none of ours. */
export function parseContentKey(
  prefix: string,
  key: string,
): { readonly id: string; readonly kind: ContentKind; readonly nonce: string } | undefined {
  const [, id, kind, nonce] = CONTENT.exec(key.slice(contentPrefix(prefix).length)) ?? [];
  if (id === undefined || nonce === undefined || (kind !== "s" && kind !== "m")) return undefined;
  return { id, kind, nonce };
}
