import type { DocumentPointer } from "../../model/entities.ts";
import { ORPHAN_AGE_MS } from "../draft.ts";
import { type HeldContent, type HeldRecord, type Holding, holdings } from "./holdings.ts";
import { type ContentKind, contentPrefix, parseContentKey } from "./layout.ts";
import { findDocument } from "./read.ts";
import { recordsOf, removeRecord } from "./records.ts";
import type { S3Room } from "./room.ts";

/**
 * How old content without a record must be. What came in parts is dated by the store to when its upload began, which may be long before its
 * writer could put the record: a write may take six days, see MAX_WRITE_MS.
 */
const CONTENT_AGE_MS: Readonly<Record<ContentKind, number>> = { s: ORPHAN_AGE_MS, m: 7 * 24 * 3600_000 };

/** Documents looked at side by side. */
const AT_ONCE = 16;

type Call = { readonly signal?: AbortSignal | undefined };
type Swept = { readonly expired: number; readonly orphans: number };

/**
 * Removes expired documents, what was replaced but not removed, content without a record and records without content, and uploads that got
 * no part for an hour. Safe beside readers, writers and other sweepers: no key is ever written twice.
 */
export async function sweep(room: S3Room, { signal }: Call): Promise<Swept> {
  let expired = 0;
  let orphans = await sweepUploads(room, signal);
  for await (const some of batches(holdings(room.bucket, room.prefix, signal), AT_ONCE)) {
    const all = await Promise.all(some.map((holding) => sweepOne(room, holding, signal)));
    for (const swept of all) {
      expired += swept.expired;
      orphans += swept.orphans;
    }
  }
  return { expired, orphans };
}

/** Documents, and the bytes of their content; what is replaced or left over counts as nothing. Costs listings only. */
export async function measure(
  { bucket, prefix }: S3Room,
  { signal }: Call,
): Promise<{ readonly documents: number; readonly bytes: number }> {
  let documents = 0;
  let bytes = 0;
  for await (const { records, contents } of holdings(bucket, prefix, signal)) {
    const newest = records.at(-1);
    if (newest === undefined) continue;
    documents += 1;
    bytes += contents.find(({ key }) => key === newest.contentKey)?.size ?? 0;
  }
  return { documents, bytes };
}

/** The pointers of all documents, a request for each. */
export async function* listDocuments(room: S3Room, { signal }: Call): AsyncGenerator<DocumentPointer> {
  for await (const { id, records } of holdings(room.bucket, room.prefix, signal)) {
    const pointer = records.length === 0 ? undefined : await findDocument(room, id, { signal });
    if (pointer !== undefined) yield pointer;
  }
}

async function sweepOne(
  room: S3Room,
  { id, records, contents }: Holding,
  signal: AbortSignal | undefined,
): Promise<Swept> {
  const { bucket, now } = room;
  let expired = 0;
  let orphans = 0;
  for (const record of records.slice(0, -1)) {
    await removeRecord(bucket, record, signal);
    orphans += 1;
  }
  const newest = records.at(-1);
  if (newest !== undefined && newest.expiresAt <= now()) {
    await removeRecord(bucket, newest, signal);
    expired += 1;
  } else if (newest !== undefined && (await hasLostItsContent(room, newest, contents, signal))) {
    await removeRecord(bucket, newest, signal);
    orphans += 1;
  }
  const named = new Set(records.map(({ contentKey }) => contentKey));
  const leftover = contents.filter(
    ({ key, kind, lastModified }) => !named.has(key) && lastModified < now() - CONTENT_AGE_MS[kind],
  );
  if (leftover.length === 0) return { expired, orphans };
  // Its record may have come after the listing.
  const current = new Set((await recordsOf(room, id, signal)).map(({ contentKey }) => contentKey));
  for (const { key } of leftover.filter((content) => !current.has(content.key))) {
    await bucket.delete(key, { signal });
    orphans += 1;
  }
  return { expired, orphans };
}

/** Somebody else deleted the content, such as a lifecycle rule. Content comes before its record, so that it cannot be still to come. */
async function hasLostItsContent(
  { bucket, now }: S3Room,
  record: HeldRecord,
  contents: readonly HeldContent[],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (contents.some(({ key }) => key === record.contentKey)) return false;
  if (record.lastModified >= now() - ORPHAN_AGE_MS) return false;
  return (await bucket.size(record.contentKey, { signal })) === undefined;
}

async function sweepUploads({ bucket, prefix, now }: S3Room, signal: AbortSignal | undefined): Promise<number> {
  let aborted = 0;
  for await (const { key, uploadId, initiated } of bucket.uploads(contentPrefix(prefix), { signal })) {
    const limit = now() - ORPHAN_AGE_MS;
    if (parseContentKey(prefix, key) === undefined || initiated >= limit) continue;
    if (((await bucket.newestPart(key, uploadId, { signal })) ?? 0) >= limit) continue;
    await bucket.abortUpload(key, uploadId, { signal });
    aborted += 1;
  }
  return aborted;
}

async function* batches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}
