import { stat } from "node:fs/promises";
import { ActivityError } from "../../model/activity-error.ts";
import type { DocumentPointer } from "../../model/entities.ts";
import { ORPHAN_AGE_MS } from "../draft.ts";
import { allFiles, isMissing, remove, type StoredFile, unfinishedOf } from "./layout.ts";
import { openFile } from "./read.ts";
import type { FileRoom } from "./room.ts";

type Swept = { readonly expired: number; readonly orphans: number };

/**
 * Removes expired documents, what was replaced but not removed, damaged files, and unfinished ones that got no byte for an hour.
 * Safe beside readers (they hold their file open), writers, and other sweepers: each file is removed under a name that only it ever has.
 */
export async function sweep(room: FileRoom, signal: AbortSignal | undefined): Promise<Swept> {
  let expired = 0;
  let orphans = await sweepUnfinished(room, signal);
  for await (const { file, replaced } of filesByAge(room.root)) {
    signal?.throwIfAborted();
    const verdict = replaced ? "orphan" : await judge(room, file);
    if (verdict === "keep") continue;
    await remove(file.path);
    if (verdict === "expired") expired += 1;
    else orphans += 1;
  }
  return { expired, orphans };
}

/** Documents, and the bytes of their content. What is damaged or replaced counts as nothing. */
export async function measure(
  { root }: FileRoom,
  signal: AbortSignal | undefined,
): Promise<{ readonly documents: number; readonly bytes: number }> {
  let documents = 0;
  let bytes = 0;
  for await (const { size } of pointers(root, signal)) {
    documents += 1;
    bytes += size;
  }
  return { documents, bytes };
}

/** The pointers of all documents. What is damaged or replaced is none. */
export async function* pointers(root: string, signal: AbortSignal | undefined): AsyncGenerator<DocumentPointer> {
  for await (const { file, replaced } of filesByAge(root)) {
    signal?.throwIfAborted();
    const stored = replaced ? undefined : await pointerOf(file);
    if (stored !== undefined && stored !== "damaged") yield stored;
  }
}

/** Every file, older generations before the one that replaced them. */
async function* filesByAge(root: string): AsyncGenerator<{ readonly file: StoredFile; readonly replaced: boolean }> {
  let previous: StoredFile | undefined;
  for await (const file of allFiles(root)) {
    if (previous !== undefined) yield { file: previous, replaced: previous.hash === file.hash };
    previous = file;
  }
  if (previous !== undefined) yield { file: previous, replaced: false };
}

async function judge({ now, log }: FileRoom, file: StoredFile): Promise<"keep" | "expired" | "orphan"> {
  const stored = await pointerOf(file);
  if (stored === undefined) return "keep";
  if (stored !== "damaged") return Date.parse(stored.expiresAt) <= now() ? "expired" : "keep";
  log.warn({ file: file.path }, "a stored document is damaged; it is removed");
  return "orphan";
}

/** `undefined` where the file went meanwhile. */
async function pointerOf(file: StoredFile) {
  try {
    const opened = await openFile(file);
    await opened?.handle.close();
    return opened?.pointer;
  } catch (error) {
    if (error instanceof ActivityError && error.code === "DocumentCorrupt") return "damaged";
    throw error;
  }
}

async function sweepUnfinished({ root, now }: FileRoom, signal: AbortSignal | undefined): Promise<number> {
  let removed = 0;
  for (const path of await unfinishedOf(root)) {
    signal?.throwIfAborted();
    if (!(await isOlderThan(path, now() - ORPHAN_AGE_MS))) continue;
    await remove(path);
    removed += 1;
  }
  return removed;
}

/** Since when nothing was written; false where the file went meanwhile. */
async function isOlderThan(path: string, time: number): Promise<boolean> {
  try {
    return (await stat(path)).mtimeMs < time;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
