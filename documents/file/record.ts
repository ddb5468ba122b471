import type { FileHandle } from "node:fs/promises";
import { DocumentPointer } from "../../model/entities.ts";
import { documentCorrupt } from "../errors.ts";

/** The last bytes of every stored file: the length of the JSON before them (4 bytes, big endian), and this. */
const MAGIC = Buffer.from("BKTLNDOC");
const TAIL = 4 + MAGIC.length;

/**
 * A pointer is stored behind the content, in the same file: one rename makes both visible, so neither is ever seen without the other.
 * Content, JSON of the pointer, its length, eight fixed letters.
 */
export function encodeRecord(pointer: DocumentPointer): Buffer {
  const json = Buffer.from(JSON.stringify(pointer));
  const tail = Buffer.alloc(TAIL);
  tail.writeUInt32BE(json.length, 0);
  MAGIC.copy(tail, 4);
  return Buffer.concat([json, tail]);
}

/** The pointer behind the content. Throws `DocumentCorrupt` where the file is cut short or damaged. */
export async function readRecord(handle: FileHandle, path: string): Promise<DocumentPointer> {
  const { size } = await handle.stat();
  const tail = await readAt(handle, Math.max(0, size - TAIL), TAIL);
  const length = tail.length === TAIL && tail.subarray(4).equals(MAGIC) ? tail.readUInt32BE(0) : -1;
  const start = size - TAIL - length;
  if (length < 0 || start < 0) throw documentCorrupt(path, "is cut short or damaged: its last bytes are not a record");
  const pointer = parse(await readAt(handle, start, length), path);
  if (pointer.size !== start)
    throw documentCorrupt(pointer.id, `has ${start} bytes in ${path}, expected ${pointer.size}`);
  return pointer;
}

function parse(json: Buffer, path: string): DocumentPointer {
  try {
    return DocumentPointer.parse(JSON.parse(json.toString()));
  } catch (error) {
    throw documentCorrupt(path, "is damaged: its record is not a document's pointer", error);
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}
