import { open, stat } from "node:fs/promises";
import { ActivityError } from "../../model/activity-error.ts";
import type { Leftover } from "../interface.ts";
import { isMissing, unfinishedOf } from "./layout.ts";
import type { FileRoom } from "./room.ts";

/**
 * The longest of the files that interrupted writes of this name left. It is read and never written to: whoever left it may still be at work.
 * Behind the content a record may stand already, so that only the reader, who knows the content's size, can tell where that ends.
 */
export async function findLeftover({ root }: FileRoom, name: string): Promise<Leftover | undefined> {
  let longest = { path: "", size: 0 };
  for (const path of await unfinishedOf(root, name)) {
    const size = await sizeOf(path);
    if (size > longest.size) longest = { path, size };
  }
  const { path, size } = longest;
  return size === 0 ? undefined : { size, read: (length) => readStart(path, length) };
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

async function* readStart(path: string, length: number): AsyncGenerator<Buffer> {
  let read = 0;
  try {
    await using handle = await open(path, "r");
    for await (const chunk of handle.createReadStream({
      end: length - 1,
      autoClose: false,
      highWaterMark: 1024 ** 2,
    })) {
      read += (chunk as Buffer).length; // no encoding is set
      yield chunk as Buffer;
    }
  } catch (error) {
    throw gone(length, read, error);
  }
  if (read !== length) throw gone(length, read);
}

function gone(length: number, read: number, cause?: unknown): ActivityError {
  const sentence = `expected ${length} bytes that an interrupted write left, got ${read}`;
  return new ActivityError("DocumentStoreFailed", sentence, { retryable: true, ...(cause !== undefined && { cause }) });
}
