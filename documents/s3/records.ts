import type { OwnBucket } from "../../s3/own/bucket.ts";
import { parseRecordKey, recordsPrefix, type StoredRecord } from "./layout.ts";
import type { S3Room } from "./room.ts";

/** The records of a document, oldest first; the last one counts. */
export async function recordsOf(
  { bucket, prefix }: S3Room,
  id: string,
  signal: AbortSignal | undefined,
): Promise<readonly StoredRecord[]> {
  const records: StoredRecord[] = [];
  for await (const { key } of bucket.list(recordsPrefix(prefix, id), { signal })) {
    const record = parseRecordKey(prefix, key);
    if (record !== undefined) records.push(record);
  }
  return records.toSorted((a, b) => (a.generation < b.generation ? -1 : 1));
}

/** Removes every record of a document, and what they name. Oldest first: what was replaced must not come back when its successor goes. */
export async function deleteDocument(room: S3Room, id: string, signal: AbortSignal | undefined): Promise<void> {
  for (const record of await recordsOf(room, id, signal)) await removeRecord(room.bucket, record, signal);
}

/** The record first: content without one is invisible, and the sweeper finds it. */
export async function removeRecord(
  bucket: OwnBucket,
  record: StoredRecord,
  signal: AbortSignal | undefined,
): Promise<void> {
  await bucket.delete(record.key, { signal });
  await bucket.delete(record.contentKey, { signal });
}
