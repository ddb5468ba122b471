import { ActivityError } from "../model/activity-error.ts";
import type { DocumentPointer } from "../model/entities.ts";
import type { DocumentStore, ReadOptions, WriteOptions } from "./interface.ts";

/** Lines are written in pieces of about this many bytes. */
const PIECE = 64 * 1024;

/** The longest line that is read, in bytes: a document without line breaks must not fill the memory. */
const MAX_LINE = 4 * 1024 * 1024;

const NEWLINE = 0x0a;

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Writes JSON values as a document, one a line. Throws `InvalidInput` for what JSON has no word for, and what the store throws.
 *
 * @example
 * import { writeNdjson } from "bucketline/documents";
 *
 * const manifest = await writeNdjson(store, [{ bucket: "inbox", key: "a.txt" }], { name: "manifest" });
 * console.log(manifest.id);
 */
export function writeNdjson(
  store: DocumentStore,
  values: Iterable<unknown> | AsyncIterable<unknown>,
  options: WriteOptions,
): Promise<DocumentPointer> {
  return store.write(encode(values), { contentType: "application/x-ndjson", ...options });
}

/**
 * Reads a document of JSON lines, value by value; blank lines are passed over. The values come before the whole is verified: only a loop that ends
 * without an error has seen the document as it was written, and only that removes one that is to be read once.
 * Throws `DocumentMalformed`, which names the line, and what the store throws.
 *
 * @example
 * import { readNdjson, writeNdjson } from "bucketline/documents";
 *
 * const pointer = await writeNdjson(store, [1, 2, 3], { name: "numbers" });
 * for await (const value of readNdjson(store, pointer)) console.log(value);
 */
export async function* readNdjson(
  store: Pick<DocumentStore, "read">,
  pointer: DocumentPointer,
  options: ReadOptions = {},
): AsyncGenerator<unknown, void, undefined> {
  let number = 0;
  for await (const line of lines(await store.read(pointer, options), pointer)) {
    number += 1;
    const text = decode(line, number, pointer);
    if (text.trim() !== "") yield parse(text, number, pointer);
  }
}

async function* encode(values: Iterable<unknown> | AsyncIterable<unknown>): AsyncGenerator<string> {
  let piece = "";
  let number = 0;
  for await (const value of values) {
    number += 1;
    // What JSON.stringify gives for undefined, functions and symbols, whatever its type says.
    const line = JSON.stringify(value) as string | undefined;
    if (line === undefined)
      throw new ActivityError("InvalidInput", `value ${number} cannot be JSON: expected anything but ${typeof value}`);
    piece += `${line}\n`;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = "";
  }
  if (piece !== "") yield piece;
}

/**
 * Split at the byte, before decoding: no character of UTF-8 holds a line break, so none is ever cut. A last line without a break is given out before
 * the end of the content is taken: what is wrong with it must keep the document.
 */
async function* lines(content: AsyncIterable<Buffer>, pointer: DocumentPointer): AsyncGenerator<Buffer> {
  let number = 1;
  let held: Buffer[] = [];
  let length = 0;
  let received = 0;
  for await (const chunk of content) {
    received += chunk.length;
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      yield Buffer.concat([...held, chunk.subarray(from, at)]);
      number += 1;
      held = [];
      length = 0;
      from = at + 1;
    }
    held.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > MAX_LINE) throw malformed(pointer, number, `expected at most ${MAX_LINE} bytes`);
    if (received === pointer.size && length > 0) yield Buffer.concat(held);
  }
}

function decode(line: Buffer, number: number, pointer: DocumentPointer): string {
  try {
    return UTF8.decode(line);
  } catch (error) {
    throw malformed(pointer, number, "expected UTF-8", error);
  }
}

function parse(text: string, number: number, pointer: DocumentPointer): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed(pointer, number, "expected JSON", error);
  }
}

/** The line's own text stays out of the message: it may hold anything. */
function malformed({ id, name }: DocumentPointer, line: number, expected: string, cause?: unknown): ActivityError {
  return new ActivityError(
    "DocumentMalformed",
    `line ${line} of document ${JSON.stringify(name)} (${id}) is wrong: ${expected}`,
    { field: `line ${line}`, cause },
  );
}
