import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { parse } from "csv-parse/sync";
import { z } from "zod";
import { BucketName, Verified } from "../../model/entities.ts";
import { unquoteEtag } from "../../model/etag.ts";
import type { ManifestSource } from "../spec/fields.ts";
import type { ManifestEntry } from "../state/chunk-manifest.ts";

/** Where to go on in a manifest document: bytes and lines that were taken. */
export type ManifestCursor = {
  readonly offset: number;
  readonly line: number;
  /** What a CSV header says its columns are, in lower case without punctuation. */
  readonly columns?: readonly string[];
};

/** Lines of a manifest, and where the next begin. */
export type ManifestLines = {
  /** A line that is no UTF-8 has no text. */
  readonly lines: readonly { readonly number: number; readonly text?: string }[];
  readonly cursor: ManifestCursor;
};

/** Longer lines name no object: a key has at most 1,024 bytes, URL-encoded three times as many, and a line names two of them. */
const MAX_LINE_BYTES = 64 * 1024;
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
  let columns = cursor.columns;
  let lines: { number: number; text?: string }[] = [];
  const place = (): ManifestCursor => ({ offset, line, ...(columns !== undefined && { columns }) });
  const take = (bytes: Buffer): void => {
    line++;
    const text = textOf(bytes)?.trim();
    const header = line === 1 && format === "csv" && text !== undefined ? headerOf(text) : undefined;
    if (header !== undefined) columns = header;
    else if (text === undefined) lines.push({ number: line });
    else if (text !== "") lines.push({ number: line, text });
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
      offset += end + 1 - start;
      start = end + 1;
      if (lines.length < size) continue;
      yield { lines, cursor: place() };
      lines = [];
    }
    rest = Buffer.from(chunk.subarray(start));
  }
  if (rest.length > 0) {
    take(rest);
    offset += rest.length;
  }
  yield { lines, cursor: place() };
}

/** A document's bytes, unpacked where they are gzip, as S3 Inventory writes its files. */
async function* plainBytes(content: Readable): AsyncGenerator<Buffer> {
  const pieces = content[Symbol.asyncIterator]() as AsyncIterator<Buffer>; // documents are bytes
  try {
    const first = await pieces.next();
    if (first.done === true) return;
    const whole = async function* (): AsyncGenerator<Buffer> {
      yield first.value;
      for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value;
    };
    if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) {
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
    return utf8.decode(bytes);
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

type Lines = ManifestLines["lines"];

/** What lines name; one that cannot be read becomes an entry that says so, with the line's number. */
export function parseManifestLines(
  lines: Lines,
  {
    format,
    bucket,
    columns,
  }: Pick<ManifestSource, "format" | "bucket"> & { readonly columns?: readonly string[] | undefined },
): ManifestEntry[] {
  if (format === "ndjson")
    return lines.map(({ number, text }) => (text === undefined ? notUtf8(number) : jsonEntry(text, number, bucket)));
  try {
    const texts = lines.flatMap(({ text }) => (text === undefined ? [] : [text]));
    const records = csvRecords(texts.join("\n"));
    if (records.length === lines.length)
      return records.map((fields, at) => csvEntry(fields, lines[at]?.number ?? 0, columns));
  } catch {
    // One line among them is no CSV: each is read by itself, to find out which.
  }
  return lines.map(({ number, text }) => {
    if (text === undefined) return notUtf8(number);
    try {
      return csvEntry(csvRecords(text)[0] ?? [], number, columns);
    } catch (error) {
      return refused(number, `expected CSV, got: ${error instanceof Error ? error.message : "something else"}`);
    }
  });
}

function csvRecords(text: string): string[][] {
  return parse(text, { relax_column_count: true, skip_empty_lines: false, trim: true });
}

function csvEntry(fields: readonly string[], number: number, columns: readonly string[] | undefined): ManifestEntry {
  const named = (...names: readonly string[]): string =>
    fields[columns?.findIndex((name) => names.includes(name)) ?? -1] ?? "";
  if (fields.length < 2) return refused(number, "expected bucket,key[,versionId]");
  const [bucket, encoded, versionId] =
    columns === undefined
      ? [fields[0] ?? "", fields[1] ?? "", versionByPosition(fields)]
      : [named("bucket"), named("key"), named("versionid", "version")];
  if (versionId === undefined)
    return refused(
      number,
      `expected a version as the third of ${fields.length} columns, got ${(fields[2] ?? "").slice(0, 100)}; name the columns in a header`,
    );
  let key: string;
  try {
    // Encoded like a form, as S3 Inventory does: a space is `+` or `%20`, a plus is `%2B`.
    key = decodeURIComponent(encoded.replaceAll("+", " "));
  } catch {
    return refused(number, `expected a URL-encoded key, got ${encoded.slice(0, 100)}`, { bucket, key: encoded });
  }
  if (!BucketName.safeParse(bucket).success)
    return refused(number, `expected a bucket name, got ${bucket.slice(0, 100)}`, { bucket, key });
  return { bucket, key, ...(versionId !== "" && { versionId }) };
}

/**
 * A manifest of three columns ends in a version. An inventory has more: with all versions `IsLatest` follows the version, and without
 * there is none, and the third is what was chosen first, such as the size.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html#storage-inventory-contents
 */
function versionByPosition([, , third = "", fourth, ...more]: readonly string[]): string | undefined {
  if (fourth === undefined && more.length === 0) return third;
  if (/^(true|false)$/i.test(fourth ?? "")) return third;
  return third === "" || /^\d+$/.test(third) || !Number.isNaN(Date.parse(third)) ? "" : undefined;
}

/** A line of an NDJSON manifest. */
export const ManifestLine = z.object({
  bucket: BucketName.optional().meta({ description: "Bucket of the object. Default: the source's `bucket`" }),
  key: z.string().min(1).meta({ description: "Key of the object, as it is: not URL-encoded" }),
  versionId: z.string().min(1).max(1024).optional().meta({ description: "That version of it" }),
  etag: z
    .string()
    .min(1)
    .max(256)
    .transform(unquoteEtag)
    .optional()
    .meta({ description: "Only the content with this ETag" }),
  size: z.int().nonnegative().optional().meta({ description: "Bytes, where they are known" }),
  lastModified: z.iso
    .datetime({ offset: true })
    .transform((instant) => new Date(instant).toISOString())
    .optional()
    .meta({ description: "When it was written, where that is known" }),
  storageClass: z.string().optional().meta({ description: "Its storage class, where that is known" }),
  destinationKey: z.string().min(1).optional().meta({ description: "Key of the copy; overrules `destination.prefix`" }),
  copied: z
    .object({ etag: z.string().min(1).max(256).meta({ description: "ETag of the copy" }), verified: Verified })
    .optional()
    .meta({ description: "What an earlier batch proved to have copied there: a move goes on from it" }),
});

function jsonEntry(text: string, number: number, defaultBucket: string | undefined): ManifestEntry {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refused(number, `expected a JSON object, got ${text.slice(0, 100)}`);
  }
  // Programs write null for what they do not know.
  const parsed = ManifestLine.safeParse(
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null))
      : value,
  );
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refused(number, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "expected an object"}`);
  }
  const { bucket = defaultBucket, ...entry } = parsed.data;
  if (bucket === undefined)
    return refused(number, "expected a bucket, here or for the whole manifest", { bucket: "", key: entry.key });
  return { ...entry, bucket };
}

function notUtf8(number: number): ManifestEntry {
  return refused(number, "expected UTF-8, got other bytes, whose key would be another");
}

function refused(number: number, expected: string, place = { bucket: "", key: "" }): ManifestEntry {
  const code = "InvalidManifestLine";
  return { ...place, refusal: { code, message: `${code}: line ${number}: ${expected}` } };
}
