import { mkdir } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { checkDocumentId } from "../draft.ts";
import type { DocumentStore } from "../interface.ts";
import { FOLDER_MODE, generationsOf, remove, unfinishedFolder } from "./layout.ts";
import { deleteExact, openNewest, readDocument } from "./read.ts";
import { fileStoreError } from "./error.ts";
import type { FileRoom } from "./room.ts";
import { measure, pointers, sweep } from "./sweep.ts";
import { writeDocument, writePlaced } from "./write.ts";
import { silentLog, type StoreLog } from "../store-log.ts";

export type FileStoreOptions = {
  /** Told what no caller can be told: a document that could not be removed after it was read. */
  readonly log?: StoreLog | undefined;
  /** Milliseconds since 1970; for tests. */
  readonly now?: (() => number) | undefined;
};

/**
 * Documents in a folder, for apps and workers that share a file system. The folder may hold other files; they are never touched.
 * Throws `DocumentStoreFailed` where the folder cannot be made.
 */
export async function openFileStore(
  root: string,
  { log = silentLog, now = Date.now }: FileStoreOptions = {},
): Promise<DocumentStore> {
  const location = pathToFileURL(root).href;
  const room: FileRoom = { root, location, log, now };
  const guarded = async <T>(doing: string, run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      throw fileStoreError(error, location, doing);
    }
  };
  await guarded("make its folder", () => mkdir(unfinishedFolder(root), { recursive: true, mode: FOLDER_MODE }));

  return {
    location,
    write: (source, options) => guarded("write a document", () => writeDocument(room, source, options)),
    writePlaced: (content, options) => guarded("write a document", () => writePlaced(room, content, options)),
    read: (pointer, options) => guarded("read a document", () => readDocument(room, pointer, options)),
    find: (id, { signal } = {}) =>
      guarded("find a document", async () => {
        checkDocumentId(id);
        signal?.throwIfAborted();
        const found = await openNewest(root, id);
        await found?.handle.close();
        return found?.pointer;
      }),
    delete: (id, { signal } = {}) =>
      guarded("delete a document", async () => {
        checkDocumentId(id);
        signal?.throwIfAborted();
        for (const file of await generationsOf(root, id)) await remove(file.path);
      }),
    deleteExact: (pointer, { signal } = {}) =>
      guarded("delete a document", async () => {
        signal?.throwIfAborted();
        return await deleteExact(room, pointer);
      }),
    sweep: ({ signal } = {}) => guarded("sweep", () => sweep(room, signal)),
    list: ({ signal } = {}) => guardedList(pointers(root, signal), location),
    usage: ({ signal } = {}) => guarded("measure its usage", () => measure(room, signal)),
    close: () => Promise.resolve(),
  };
}

async function* guardedList<Item>(items: AsyncIterable<Item>, location: string): AsyncGenerator<Item> {
  try {
    yield* items;
  } catch (error) {
    throw fileStoreError(error, location, "list its documents");
  }
}
