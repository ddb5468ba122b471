import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ActivityError } from "../../model/activity-error.ts";
import type { PlacedContent } from "../../model/content/placed.ts";
import type { DocumentPointer } from "../../model/entities.ts";
import { tallyContent } from "../content-tally.ts";
import { type DocumentDraft, draftDocument } from "../draft.ts";
import { documentIncomplete } from "../errors.ts";
import type { DocumentSource, WriteOptions } from "../interface.ts";
import {
  FILE_MODE,
  fileOf,
  FOLDER_MODE,
  generationsOf,
  isMissing,
  newUnfinished,
  remove,
  unfinishedOf,
} from "./layout.ts";
import { writeAt } from "./journal.ts";
import { encodeRecord } from "./record.ts";
import type { FileRoom } from "./room.ts";
import { fillPlaced } from "./write-placed.ts";
import { newNonce, nextGeneration } from "../generation.ts";
import { checkSource, releaseSource, sourceBytes } from "../source-bytes.ts";

/** Content in its order, as it comes. */
export async function writeDocument(
  room: FileRoom,
  source: DocumentSource,
  options: WriteOptions,
): Promise<DocumentPointer> {
  return await store(room, options, {
    check: () => checkSource(source),
    release: () => releaseSource(source),
    fill: (handle, draft) => fillInOrder(handle, source, draft, room, options),
  });
}

/** Content whose pieces come with their places. */
export async function writePlaced(
  room: FileRoom,
  content: PlacedContent,
  options: WriteOptions,
): Promise<DocumentPointer> {
  return await store(room, options, {
    check: () => undefined,
    release: () => content.release(),
    fill: (handle, draft) => fillPlaced(handle, content, { draft, room, options }),
  });
}

type Content = {
  /** Throws for what can be no content. */
  check(): void;
  /** The write failed, perhaps before it took a first byte. */
  release(): void;
  /** Writes content and record. */
  fill(handle: FileHandle, draft: DocumentDraft): Promise<DocumentPointer>;
};

/**
 * Writes, flushes, then renames. Killed before the rename it leaves an unfinished file, for another attempt to read or for the sweeper to remove;
 * killed after it, the document is there, whole, and at most an older generation beside it.
 */
async function store(room: FileRoom, options: WriteOptions, content: Content): Promise<DocumentPointer> {
  // Who comes without types may give no options at all, which the draft then refuses by name.
  const leftoverName = (options as WriteOptions | null | undefined)?.leftoverName;
  const unfinished = newUnfinished(room.root, leftoverName);
  try {
    content.check();
    const draft = draftDocument(options);
    const { signal } = options;
    signal?.throwIfAborted();
    const pointer = await flushed(unfinished, (handle) => content.fill(handle, draft));
    signal?.throwIfAborted();
    await publish(room, unfinished, draft);
    if (leftoverName !== undefined) await removeLeftovers(room, leftoverName);
    return pointer;
  } catch (error) {
    content.release();
    // What cannot be removed now is the sweeper's; the first error is the one to tell.
    if (leftoverName === undefined || !mayGoOn(error)) {
      await rm(unfinished, { force: true }).catch(() => undefined);
      // What this write went on with was no better.
      if (leftoverName !== undefined) await removeLeftovers(room, leftoverName);
    }
    throw error;
  }
}

/** A new file, on the disk before it counts, where nobody looks for documents yet. */
async function flushed<Result>(path: string, fill: (handle: FileHandle) => Promise<Result>): Promise<Result> {
  await using handle = await open(path, "wx+", FILE_MODE);
  const result = await fill(handle);
  await handle.sync();
  return result;
}

/** Another attempt may go on with what is there: not with bytes that are not the content's, nor where the disk is full. */
function mayGoOn(error: unknown): boolean {
  return error instanceof ActivityError && error.retryable && error.code !== "VerificationFailed";
}

async function removeLeftovers({ root, log }: FileRoom, name: string): Promise<void> {
  try {
    for (const path of await unfinishedOf(root, name)) await remove(path);
  } catch (error) {
    log.warn({ err: error }, "what an interrupted write left could not be removed; the sweeper will try");
  }
}

async function fillInOrder(
  handle: FileHandle,
  source: DocumentSource,
  draft: DocumentDraft,
  { now }: FileRoom,
  { size, signal }: WriteOptions,
): Promise<DocumentPointer> {
  const tally = tallyContent(draft.name, size);
  let at = 0;
  for await (const chunk of sourceBytes(source, { name: draft.name, signal })) {
    // Hashed while the disk is at work.
    const written = writeAt(handle, [chunk], at);
    at += chunk.length;
    try {
      tally.add(chunk);
    } finally {
      await written;
    }
  }
  const pointer = draft.pointer(tally.finish(), now());
  await writeAt(handle, [encodeRecord(pointer)], at);
  return pointer;
}

/** The rename is the moment from which the document is there. It is on the disk before anything older goes. */
async function publish({ root, log }: FileRoom, unfinished: string, draft: DocumentDraft): Promise<void> {
  const { folder, hash } = fileOf(root, draft.id);
  await makeFolder(folder, root);
  const older = draft.replaces ? await generationsOf(root, draft.id) : [];
  const path = join(folder, `${hash}.${nextGeneration(older.at(-1)?.generation, newNonce())}`);
  try {
    await rename(unfinished, path);
  } catch (error) {
    if (isMissing(error))
      throw documentIncomplete(draft.name, "was swept as a leftover: it got no byte for an hour", error);
    throw error;
  }
  try {
    await syncFolder(folder);
  } catch (error) {
    // Not proven to survive a power cut, so not written.
    await remove(path);
    throw error;
  }
  try {
    for (const file of older) await remove(file.path);
  } catch (error) {
    log.warn({ err: error, document: draft.id }, "a replaced document could not be removed; the sweeper will try");
  }
}

async function makeFolder(folder: string, root: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  if (made === undefined) return;
  await syncFolder(dirname(folder));
  await syncFolder(root);
}

/** A new name is on the disk only after its folder was flushed as well. Windows cannot flush folders, and need not. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  await using handle = await open(folder, "r");
  await handle.sync();
}
