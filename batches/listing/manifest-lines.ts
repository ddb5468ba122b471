import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { ManifestSource } from "../spec/fields.ts";
import { csvRecords, type Lines, MAX_LINE_BYTES } from "./manifest-entries.ts";

/** Where to go on in a manifest document: bytes and lines that were taken. */
export type ManifestCursor = {
  readonly offset: number;
  readonly line: number;
  /** What a CSV header says its columns are, in lower case without punctuation. */
  readonly columns?: readonly string[];
};

/** Lines of a manifest, and where the next begin. */
export type ManifestLines = {
  readonly lines: Lines;
  readonly cursor: ManifestCursor;
};

/** Of a line that is too long: enough to see that it is. */
const KEPT_BYTES = MAX_LINE_BYTES + 1;
const NEWLINE = 0x0a;

/** How many objects a manifest names. Reads it to its end, which verifies it. */
export async function countLines(content: Readable, format: ManifestSource["format"]): Promise<number> {
  let count = 0;
  for await (const { lines } of readManifestLines(content, { cursor: { offset: 0, line: 0 }, size: 1000, format }))
    count += lines.length;
  return count;
}

/** Lines in groups from a cursor on; empty ones and a header of CSV are left out. The content is destroyed where the caller stops early. */
export async function* readManifestLines(
  content: Readable,
  {
    cursor,
    size,
    format,
  }: { readonly cursor: ManifestCursor; readonly size: number; readonly format: ManifestSource["format"] },
): AsyncGenerator<ManifestLines> {
  let { offset, line } = cursor;
  let skip = offset;
  let rest: Buffer = Buffer.alloc(0);
  // Bytes of the line in `rest` that are not kept: it is too long to be one, and may have no end.
  let left = 0;
  let columns = cursor.columns;
  let lines: { number: number; text?: string }[] = [];
  const place = (): ManifestCursor => ({ offset, line, ...(columns !== undefined && { columns }) });
  const take = (bytes: Buffer): void => {
    line++;
    const text = textOf(bytes);
    const header = line === 1 && format === "csv" && text !== undefined ? headerOf(text) : undefined;
    if (header !== undefined) columns = header;
    else if (text === undefined) lines.push({ number: line });
    else if (text.trim() !== "") lines.push({ number: line, text });
  };
  // A Readable of bytes; documents are never read as text.
  for await (const piece of plainBytes(content)) {
    let chunk = piece;
    if (skip > 0) {
      const skipped = Math.min(skip, chunk.length);
      skip -= skipped;
      chunk = chunk.subarray(skipped);
    }
    if (rest.length > 0) chunk = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE, start); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      take(chunk.subarray(start, end));
      offset += end + 1 - start + left;
      left = 0;
      start = end + 1;
      if (lines.length < size) continue;
      yield { lines, cursor: place() };
      lines = [];
    }
    // What a line without an end has beyond that is counted and let go of.
    left += Math.max(0, chunk.length - start - KEPT_BYTES);
    rest = Buffer.from(chunk.subarray(start, start + KEPT_BYTES));
  }
  if (rest.length > 0) {
    take(rest);
    offset += rest.length + left;
  }
  yield { lines, cursor: place() };
}

/** A document's bytes, unpacked where they are gzip, as S3 Inventory writes its files. */
async function* plainBytes(content: Readable): AsyncGenerator<Buffer> {
  const pieces = content[Symbol.asyncIterator]() as AsyncIterator<Buffer>; // documents are bytes
  try {
    let first = Buffer.alloc(0);
    // Two bytes say what it is.
    for (let next = await pieces.next(); ; next = await pieces.next()) {
      if (next.done !== true) first = Buffer.concat([first, next.value]);
      if (next.done === true || first.length > 1) break;
    }
    if (first.length === 0) return;
    const whole = async function* (): AsyncGenerator<Buffer> {
      yield first;
      for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value;
    };
    if (first[0] !== 0x1f || first[1] !== 0x8b) {
      yield* whole();
      return;
    }
    const gunzip = createGunzip();
    // A failure of either destroys the stream that is read, and so is raised there.
    pipeline(Readable.from(whole()), gunzip).catch(() => undefined);
    yield* gunzip as AsyncIterable<Buffer>; // bytes, as no encoding was set
  } finally {
    content.destroy();
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** `undefined` where bytes are no UTF-8: read otherwise, they would name another object. */
function textOf(bytes: Buffer): string | undefined {
  // A line of that length is refused anyway; it must not be cut within a character.
  if (bytes.length > MAX_LINE_BYTES) return bytes.toString("latin1", 0, MAX_LINE_BYTES);
  try {
    // A key may end in any space but this end of a line.
    return utf8.decode(bytes).replace(/\r$/, "");
  } catch {
    return undefined;
  }
}

/** The columns that a first line names: with a bucket and a key among them it is a header. */
function headerOf(text: string): readonly string[] | undefined {
  try {
    const names = csvRecords(text)[0]?.map((name) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "")) ?? [];
    return names.includes("bucket") && names.includes("key") ? names : undefined;
  } catch {
    return undefined;
  }
}
