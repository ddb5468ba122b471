import { createHash, randomBytes } from "node:crypto";
import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { parseGeneration } from "../generation.ts";

/** One stored write of a document. */
export type StoredFile = { readonly path: string; readonly hash: string; readonly generation: string };

/** A folder that only its owner can enter, files that only their owner can read. */
export const FOLDER_MODE = 0o700;
export const FILE_MODE = 0o600;

const FILE = /^([0-9a-f]{64})\.([0-9a-f-]+)$/;

/**
 * A document lies in `<root>/ab/c/<sha256 of its id>.<generation>`. The hash makes every id a safe name of one length, apart also on file systems
 * that take `A` for `a`, and spreads ids that start alike. 4,096 folders keep a million documents at some 250 in each.
 */
export function fileOf(root: string, id: string): { readonly folder: string; readonly hash: string } {
  const hash = createHash("sha256").update(id).digest("hex");
  return { folder: join(root, hash.slice(0, 2), hash.slice(2, 3)), hash };
}

/** The folder of files that are not yet documents: on the same file system, so that a rename moves them. */
export function unfinishedFolder(root: string): string {
  return join(root, "tmp");
}

const UNFINISHED = /^(?:[0-9a-f]{32}-)?[0-9a-f]{32}\.tmp$/;

/** A new name for a file that is not yet a document; with `name`, one by which {@link unfinishedOf} finds it. */
export function newUnfinished(root: string, name: string | undefined): string {
  const random = randomBytes(16).toString("hex");
  return join(unfinishedFolder(root), `${name === undefined ? "" : `${leftoverHash(name)}-`}${random}.tmp`);
}

/** Paths of all files that are not yet documents, or of those of one name. */
export async function unfinishedOf(root: string, name?: string): Promise<readonly string[]> {
  const folder = unfinishedFolder(root);
  const start = name === undefined ? "" : `${leftoverHash(name)}-`;
  return (await names(folder, UNFINISHED)).filter((file) => file.startsWith(start)).map((file) => join(folder, file));
}

function leftoverHash(name: string): string {
  return createHash("sha256").update(name).digest("hex").slice(0, 32);
}

/** All generations of a document, oldest first. */
export async function generationsOf(root: string, id: string): Promise<readonly StoredFile[]> {
  const { folder, hash } = fileOf(root, id);
  const list = async () => (await filesIn(folder)).filter((file) => file.hash === hash);
  const files = await list();
  // A folder read while a generation is replaced may miss both the old name and the new one: look again before saying no.
  return files.length > 0 ? files : list();
}

/** Every stored file, the generations of a document one after the other, oldest first. */
export async function* allFiles(root: string): AsyncGenerator<StoredFile> {
  for (const first of await names(root, /^[0-9a-f]{2}$/))
    for (const second of await names(join(root, first), /^[0-9a-f]$/)) yield* await filesIn(join(root, first, second));
}

async function filesIn(folder: string): Promise<readonly StoredFile[]> {
  return (await names(folder, FILE)).flatMap((name) => {
    const [, hash = "", generation = ""] = FILE.exec(name) ?? [];
    return parseGeneration(generation) === undefined ? [] : [{ path: join(folder, name), hash, generation }];
  });
}

/** Sorted names that match; none where the folder does not exist. */
export async function names(folder: string, pattern: RegExp): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => pattern.test(name)).toSorted();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** The file or folder is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

/** Removes a file; already gone is as good. */
export async function remove(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
