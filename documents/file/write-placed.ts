import type { FileHandle } from "node:fs/promises";
import type { PlacedContent, Span } from "../../model/content/placed.ts";
import type { DocumentPointer } from "../../model/entities.ts";
import type { DocumentDraft } from "../draft.ts";
import type { WriteOptions } from "../interface.ts";
import { hashFile } from "./hash-thread.ts";
import { beginJournal, findLeftover, takeOver, writeAt } from "./journal.ts";
import { encodeRecord } from "./record.ts";
import type { FileRoom } from "./room.ts";

type Filling = { readonly draft: DocumentDraft; readonly room: FileRoom; readonly options: WriteOptions };

/** Content and record of pieces that come with their places. What an earlier attempt left of them is not asked for again. */
export async function fillPlaced(
  handle: FileHandle,
  content: PlacedContent,
  { draft, room, options: { leftoverName, signal } }: Filling,
): Promise<DocumentPointer> {
  const { size, comparison } = content;
  const journal = await beginJournal(handle, size);
  // What nobody can compare with its origin is not believed a second time.
  const name = comparison === undefined ? undefined : leftoverName;
  const leftover = await findLeftover(room, name, size);
  content.expect?.(leftover.spans);
  const have = await takeOver(leftover, handle, signal);
  const hash = hashFile(handle.fd, [{ algorithm: "sha256" }, ...(comparison === undefined ? [] : [comparison.kind])]);
  const flushing = flushOnTheWay(handle);
  try {
    const written = writtenSpans();
    const onWritten = (span: Span): void => {
      hash.upTo(written.add(span));
      flushing.written(span);
      journal.note(span);
    };
    for (const span of have) onWritten(span);
    await content.deliver(have, async (chunks, at) => {
      await writeAt(handle, chunks, at);
      onWritten({ start: at, end: at + chunks.reduce((sum, { length }) => sum + length, 0) });
    });
    const [[sha256 = "", compared = ""]] = await Promise.all([hash.digests(), flushing.rest(), journal.ended()]);
    await comparison?.check(compared);
    const pointer = draft.pointer({ size, sha256 }, room.now());
    const record = encodeRecord(pointer);
    await writeAt(handle, [record], size);
    // The journal goes last: until then another attempt can go on with all of it.
    await handle.sync();
    await handle.truncate(size + record.length);
    return pointer;
  } finally {
    // Neither may write into what is closed or whole; why it failed is known already.
    await Promise.allSettled([flushing.ended(), journal.ended()]);
    await hash.close();
  }
}

/** Bytes after which the disk is told to begin: it is idle else while they come, and everybody waits for it in the end. */
const FLUSHED_TOGETHER = 64 * 1024 ** 2;

/** Has what is written go to the disk while more comes, one flush at a time. */
function flushOnTheWay(handle: FileHandle) {
  let since = 0;
  let running: Promise<void> | undefined;
  let failed: { readonly error: unknown } | undefined;
  const flush = async (): Promise<void> => {
    try {
      await handle.datasync();
    } catch (error) {
      // Linux tells of bytes that it could not write once; the last flush would be silent.
      failed ??= { error };
    }
    running = undefined;
  };
  const check = (): void => {
    if (failed !== undefined) throw failed.error;
  };
  return {
    /** Throws where the disk already refused what came before: more need not come. */
    written({ start, end }: Span): void {
      check();
      since += end - start;
      if (since < FLUSHED_TOGETHER || running !== undefined) return;
      since = 0;
      running = flush();
    },
    /** After the last byte, while it is hashed: throws where the disk did not take all that came. */
    async rest(): Promise<void> {
      await running;
      check();
      if (since > 0) await (running = flush());
      check();
    },
    /** Throws where the disk did not take what it was told to. */
    async ended(): Promise<void> {
      await running;
      check();
    },
  };
}

/** Keeps account of what is written, and tells how far it has no gap. */
function writtenSpans() {
  let front = 0;
  const ahead = new Map<number, number>();
  return {
    /** Bytes from the beginning that are all there, with this span. */
    add({ start, end }: Span): number {
      ahead.set(start, end);
      for (let next = ahead.get(front); next !== undefined; next = ahead.get(front)) {
        ahead.delete(front);
        front = next;
      }
      return front;
    },
  };
}
