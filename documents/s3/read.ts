import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { ActivityError } from "../../model/activity-error.ts";
import { DocumentPointer } from "../../model/entities.ts";
import { checkDocumentId } from "../draft.ts";
import { documentCorrupt, documentNotFound, isSameDocument, refuseExpired, refuseOther } from "../errors.ts";
import type { ReadOptions } from "../interface.ts";
import type { Fetched, OwnBucket } from "../../s3/own/bucket.ts";
import type { StoredRecord } from "./layout.ts";
import { recordsOf, removeRecord } from "./records.ts";
import type { S3Room } from "./room.ts";
import { s3StoreError, unbelievable } from "./error.ts";
import { type StoredContent, verifiedStream } from "../verified-stream.ts";

/** How often a broken download is taken up again without a new byte in between. */
const MAX_RESUMES = 4;

type Call = { readonly signal?: AbortSignal | undefined };
type Found = { readonly record: StoredRecord; readonly pointer: DocumentPointer };

/** The content that a pointer names; removes it after a complete read where pointer and record say so. */
export async function readDocument(
  room: S3Room,
  pointer: DocumentPointer,
  { keep = false, signal }: ReadOptions = {},
): Promise<Readable> {
  checkDocumentId(pointer.id);
  const found = await newest(room, pointer.id, { signal });
  if (found === undefined) {
    refuseExpired(pointer, room.now());
    throw documentNotFound(pointer.id, room.location);
  }
  refuseExpired(pointer, room.now());
  refuseExpired(found.pointer, room.now());
  refuseOther(pointer, found.pointer);
  const content = await openContent(room, found, signal);
  // Both must say so: neither a pointer that somebody changed nor one from before a rewrite deletes what should stay.
  const once = !keep && pointer.deleteAfterDownload && found.pointer.deleteAfterDownload;
  const consumed = once ? () => removeRead(room, found.record) : undefined;
  return verifiedStream(content, pointer, { signal, consumed });
}

/** The pointer of a document by its id. */
export async function findDocument(room: S3Room, id: string, call: Call): Promise<DocumentPointer | undefined> {
  checkDocumentId(id);
  return (await newest(room, id, call))?.pointer;
}

/** The document as it is now. Where it is replaced between looking and reading, looks again. */
async function newest(room: S3Room, id: string, { signal }: Call): Promise<Found | undefined> {
  for (;;) {
    const record = (await recordsOf(room, id, signal)).at(-1);
    if (record === undefined) return undefined;
    const fetched = await room.bucket.get(record.key, 0, { signal });
    if (fetched !== undefined) return { record, pointer: await parse(room, record, fetched) };
  }
}

async function parse(room: S3Room, record: StoredRecord, { body }: Fetched): Promise<DocumentPointer> {
  let json: string;
  try {
    json = (await buffer(body)).toString();
  } catch (error) {
    throw s3StoreError(error, room.location, "read a record");
  }
  try {
    return DocumentPointer.parse(JSON.parse(json));
  } catch (error) {
    throw documentCorrupt(record.id, `is damaged: its record ${record.key} is not a document's pointer`, error);
  }
}

/**
 * The content, taken up where it broke off: a reader that is slower than the store's patience, a reset or a short answer does not spoil it.
 */
async function openContent(room: S3Room, found: Found, signal: AbortSignal | undefined): Promise<StoredContent> {
  const { bucket, location } = room;
  const { id, size } = found.pointer;
  const closing = new AbortController();
  let position = 0;
  let resumes = 0;
  let fetched: Fetched | undefined = await open(bucket, location, found, 0, signal);
  let chunks: AsyncIterator<Uint8Array> = fetched.body[Symbol.asyncIterator]();

  const step = async (): Promise<Uint8Array> => {
    if (fetched === undefined) {
      fetched = await open(bucket, location, found, position, closing.signal);
      chunks = fetched.body[Symbol.asyncIterator]();
    }
    const { done, value } = await chunks.next();
    if (done === true) throw unbelievable(location, "read a document", `${id} broke off after ${position} bytes`);
    return value;
  };
  return {
    async next() {
      while (position < size) {
        try {
          const chunk = await step();
          position += chunk.length;
          resumes = 0;
          return chunk;
        } catch (failure) {
          fetched?.body.destroy();
          fetched = undefined;
          closing.signal.throwIfAborted();
          const error = s3StoreError(failure, location, "read a document");
          resumes += 1;
          if (!(error instanceof ActivityError) || !error.retryable || resumes > MAX_RESUMES) throw error;
          await pause(100 * 2 ** resumes, undefined, { signal: closing.signal });
        }
      }
      return undefined;
    },
    release() {
      closing.abort();
      fetched?.body.destroy();
      return Promise.resolve();
    },
  };
}

async function open(
  bucket: OwnBucket,
  location: string,
  { record, pointer }: Found,
  from: number,
  signal: AbortSignal | undefined,
): Promise<Fetched> {
  const fetched = await bucket.get(record.contentKey, from, { signal });
  if (fetched === undefined) throw documentNotFound(pointer.id, location);
  if (fetched.size === pointer.size) return fetched;
  fetched.body.destroy();
  throw documentCorrupt(pointer.id, `has ${fetched.size} bytes, expected ${pointer.size}`);
}

/** Removes the document that the pointer names, with all that is older, where it is the one that is there. */
export async function deleteExact(room: S3Room, pointer: DocumentPointer, call: Call): Promise<boolean> {
  checkDocumentId(pointer.id);
  const found = await newest(room, pointer.id, call);
  if (found === undefined || !isSameDocument(found.pointer, pointer)) return false;
  for (const record of await recordsOf(room, pointer.id, call.signal))
    if (record.generation <= found.record.generation) await removeRecord(room.bucket, record, call.signal);
  return true;
}

/** What was read goes, with all that is older; a newer record is another document and stays. */
async function removeRead(room: S3Room, read: StoredRecord): Promise<void> {
  try {
    for (const record of await recordsOf(room, read.id, undefined))
      if (record.generation <= read.generation) await removeRecord(room.bucket, record, undefined);
  } catch (error) {
    room.log.warn({ err: error, document: read.id }, "a document could not be removed after it was read");
  }
}
