import { type FileHandle, open } from "node:fs/promises";
import type { Readable } from "node:stream";
import type { DocumentPointer } from "../../model/entities.ts";
import { checkDocumentId } from "../draft.ts";
import { documentNotFound, isSameDocument, refuseExpired, refuseOther } from "../errors.ts";
import type { ReadOptions } from "../interface.ts";
import { generationsOf, isMissing, remove, type StoredFile } from "./layout.ts";
import { readRecord } from "./record.ts";
import type { FileRoom } from "./room.ts";
import { fileStoreError } from "./error.ts";
import { type StoredContent, verifiedStream } from "../verified-stream.ts";

const READ_CHUNK = 256 * 1024;

/** An open document: its file may be renamed or removed meanwhile, its content stays until the handle is closed. */
export type OpenedFile = { readonly file: StoredFile; readonly handle: FileHandle; readonly pointer: DocumentPointer };

/** The content that a pointer names; removes it after a complete read where pointer and record say so. */
export async function readDocument(
  room: FileRoom,
  pointer: DocumentPointer,
  { keep = false, signal }: ReadOptions = {},
): Promise<Readable> {
  checkDocumentId(pointer.id);
  signal?.throwIfAborted();
  const found = await openNewest(room.root, pointer.id);
  if (found === undefined) {
    refuseExpired(pointer, room.now());
    throw documentNotFound(pointer.id, room.location);
  }
  const { handle, file, pointer: stored } = found;
  try {
    refuseExpired(pointer, room.now());
    refuseExpired(stored, room.now());
    refuseOther(pointer, stored);
    signal?.throwIfAborted();
  } catch (error) {
    await handle.close();
    throw error;
  }
  // Both must say so: neither a pointer that somebody changed nor one from before a rewrite deletes what should stay.
  const once = !keep && pointer.deleteAfterDownload && stored.deleteAfterDownload;
  const consumed = once ? () => removeRead(room, pointer.id, file) : undefined;
  return verifiedStream(contentOf(handle, stored.size, room.location), pointer, { signal, consumed });
}

/** The document as it is now. Where it is replaced between looking and opening, looks again. */
export async function openNewest(root: string, id: string): Promise<OpenedFile | undefined> {
  for (;;) {
    const file = (await generationsOf(root, id)).at(-1);
    if (file === undefined) return undefined;
    const opened = await openFile(file);
    if (opened !== undefined) return opened;
  }
}

/** `undefined` where the file is gone. Throws `DocumentCorrupt` where it is damaged. */
export async function openFile(file: StoredFile): Promise<OpenedFile | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file.path, "r");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    return { file, handle, pointer: await readRecord(handle, file.path) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function contentOf(handle: FileHandle, size: number, location: string): StoredContent {
  let position = 0;
  return {
    async next() {
      if (position >= size) return undefined;
      const buffer = Buffer.allocUnsafe(Math.min(READ_CHUNK, size - position));
      try {
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
        position += bytesRead;
        return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
      } catch (error) {
        throw fileStoreError(error, location, "read a document");
      }
    },
    release: () => handle.close(),
  };
}

/** Removes the document that the pointer names, with all that is older, where it is the one that is there. */
export async function deleteExact({ root }: FileRoom, pointer: DocumentPointer): Promise<boolean> {
  checkDocumentId(pointer.id);
  const found = await openNewest(root, pointer.id);
  if (found === undefined) return false;
  await found.handle.close();
  if (!isSameDocument(found.pointer, pointer)) return false;
  for (const file of await generationsOf(root, pointer.id))
    if (file.generation <= found.file.generation) await remove(file.path);
  return true;
}

/** What was read goes, with all that is older; a newer generation is another document and stays. */
async function removeRead({ root, log }: FileRoom, id: string, read: StoredFile): Promise<void> {
  try {
    for (const file of await generationsOf(root, id)) if (file.generation <= read.generation) await remove(file.path);
  } catch (error) {
    log.warn({ err: error, document: id }, "a document could not be removed after it was read; the sweeper will try");
  }
}
