import { type FileHandle, open } from "node:fs/promises";
import type { Span } from "../../model/content/placed.ts";
import { isMissing, unfinishedOf } from "./layout.ts";

/** What is known of an unfinished file block by block. */
const BLOCK = 1024 ** 2;
/** Bytes behind the content, for the record that a whole document ends with. */
const ROOM = 64 * 1024;
/** Stands before the blocks: a byte for each, 1 where all of its bytes are written. */
const MAGIC = Buffer.from("BKTLNJRN");

/** Tells another attempt what of an unfinished file is there. It stands in the file itself, behind the content, until that is whole. */
export type Journal = {
  /** Of bytes that were written; none of them twice. Does not wait for the disk. Throws where it refused an earlier note. */
  note(span: Span): void;
  /** Nothing is written any more, and all is that was noted. Throws where that was refused. */
  ended(): Promise<void>;
};

/** Begins the journal of a file of `size` bytes of content. */
export async function beginJournal(handle: FileHandle, size: number): Promise<Journal> {
  await handle.write(MAGIC, 0, MAGIC.length, size + ROOM);
  const missing = Array.from({ length: Math.ceil(size / BLOCK) }, (_, block) => Math.min(BLOCK, size - block * BLOCK));
  const marks = markedBlocks(handle, missing.length, size + ROOM + MAGIC.length);
  return {
    note({ start, end }) {
      for (let at = start; at < end;) {
        const block = Math.floor(at / BLOCK);
        const next = Math.min(end, (block + 1) * BLOCK);
        const left = (missing[block] ?? 0) - (next - at);
        missing[block] = left;
        if (left === 0) marks.mark(block);
        at = next;
      }
    },
    ended: () => marks.ended(),
  };
}

/** The bytes that stand for blocks. What is marked while one write is under way goes together into the next. */
function markedBlocks(handle: FileHandle, count: number, place: number) {
  const bytes = Buffer.alloc(count);
  let from = count;
  let to = 0;
  let running: Promise<void> | undefined;
  let failed: { readonly error: unknown } | undefined;
  const check = (): void => {
    if (failed !== undefined) throw failed.error;
  };
  const write = async (): Promise<void> => {
    try {
      while (from < to) {
        const [first, end] = [from, to];
        [from, to] = [count, 0];
        // A copy: whatever is marked meanwhile must not be half in it.
        await writeAt(handle, [Buffer.from(bytes.subarray(first, end))], place + first);
      }
    } catch (error) {
      failed ??= { error };
    }
    running = undefined;
  };
  return {
    mark(block: number): void {
      check();
      bytes[block] = 1;
      from = Math.min(from, block);
      to = Math.max(to, block + 1);
      running ??= write();
    },
    async ended(): Promise<void> {
      await running;
      check();
    },
  };
}

/** What an interrupted write left of its content. */
export type Leftover = { readonly path: string; readonly spans: readonly Span[] };

/** What interrupted writes of this name left of the same content: that of the one of them that has most. */
export async function findLeftover(
  { root }: { readonly root: string },
  name: string | undefined,
  size: number,
): Promise<Leftover> {
  let best: Leftover = { path: "", spans: [] };
  if (name === undefined) return best;
  for (const path of await unfinishedOf(root, name)) {
    const spans = await readSpans(path, size);
    if (total(spans) > total(best.spans)) best = { path, spans };
  }
  return best;
}

/** What a file's journal tells; nothing where it has none. */
async function readSpans(path: string, size: number): Promise<readonly Span[]> {
  const bytes = Buffer.alloc(MAGIC.length + Math.ceil(size / BLOCK));
  try {
    await using handle = await open(path, "r");
    await handle.read(bytes, 0, bytes.length, size + ROOM);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return [];
  const spans: Span[] = [];
  for (const [block, isWhole] of bytes.subarray(MAGIC.length).entries()) {
    if (isWhole !== 1) continue;
    const start = block * BLOCK;
    const end = Math.min(size, start + BLOCK);
    const last = spans.at(-1);
    if (last?.end === start) spans[spans.length - 1] = { start: last.start, end };
    else spans.push({ start, end });
  }
  return spans;
}

/**
 * Copies it into a new file and tells what it copied, which is less where the file went meanwhile. It is read and never written to: whoever
 * left it may still be at work.
 */
export async function takeOver(
  { path, spans }: Leftover,
  to: FileHandle,
  signal: AbortSignal | undefined,
): Promise<readonly Span[]> {
  if (spans.length === 0) return [];
  const buffer = Buffer.allocUnsafe(BLOCK);
  try {
    await using from = await open(path, "r");
    for (const { start, end } of spans)
      for (let at = start; at < end;) {
        signal?.throwIfAborted();
        const { bytesRead } = await from.read(buffer, 0, Math.min(buffer.length, end - at), at);
        if (bytesRead === 0) return spansBefore(spans, at);
        await writeAt(to, [buffer.subarray(0, bytesRead)], at);
        at += bytesRead;
      }
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  return spans;
}

function spansBefore(spans: readonly Span[], stop: number): readonly Span[] {
  return spans.flatMap(({ start, end }) => (start < stop ? [{ start, end: Math.min(end, stop) }] : []));
}

/** A write may take fewer bytes than it was given. */
export async function writeAt(handle: FileHandle, chunks: readonly Uint8Array[], position: number): Promise<void> {
  let at = position;
  let left = chunks;
  while (left.length > 0) {
    let { bytesWritten } = await handle.writev(left, at);
    at += bytesWritten;
    left = left.flatMap((chunk) => {
      const done = Math.min(bytesWritten, chunk.length);
      bytesWritten -= done;
      return done === chunk.length ? [] : [chunk.subarray(done)];
    });
  }
}

function total(spans: readonly Span[]): number {
  return spans.reduce((sum, { start, end }) => sum + end - start, 0);
}
