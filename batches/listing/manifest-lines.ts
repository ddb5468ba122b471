import { isUtf8 } from "node:buffer";
import type { Readable } from "node:stream";
import { parse } from "csv-parse/sync";
import { z } from "zod";
import { BucketName, Verified } from "../../model/entities.ts";
import type { ManifestSource } from "../spec/request.ts";
import type { ManifestEntry } from "../state/chunk-manifest.ts";

/** Where to go on in a manifest document: bytes and lines that were taken. */
export type ManifestCursor = { readonly offset: number; readonly line: number };

/** Lines of a manifest, and where the next begin. */
export type ManifestLines = {
  readonly lines: readonly {
    readonly number: number;
    readonly text: string;
    /** Its bytes are no UTF-8, so nobody knows which key it means. */
    readonly garbled?: boolean;
  }[];
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
  let lines: { number: number; text: string; garbled?: boolean }[] = [];
  const take = (bytes: Buffer): void => {
    line++;
    const text = bytes.subarray(0, MAX_LINE_BYTES).toString("utf8").trim();
    const header = line === 1 && format === "csv" && /^"?bucket"?\s*,\s*"?key"?\s*(,|$)/i.test(text);
    if (text !== "" && !header) lines.push({ number: line, text, ...(!isUtf8(bytes) && { garbled: true }) });
  };
  // A Readable of bytes; documents are never read as text.
  for await (const piece of content as AsyncIterable<Buffer>) {
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
      yield { lines, cursor: { offset, line } };
      lines = [];
    }
    rest = Buffer.from(chunk.subarray(start));
  }
  if (rest.length > 0) {
    take(rest);
    offset += rest.length;
  }
  yield { lines, cursor: { offset, line } };
}

type Lines = ManifestLines["lines"];

/** What lines name; one that cannot be read becomes an entry that says so, with the line's number. */
export function parseManifestLines(
  lines: Lines,
  { format, bucket }: Pick<ManifestSource, "format" | "bucket">,
): ManifestEntry[] {
  if (lines.some(({ garbled }) => garbled)) {
    const rest = parseManifestLines(
      lines.filter(({ garbled }) => garbled !== true),
      { format, bucket },
    ).values();
    return lines.map(({ number, garbled }) => {
      const entry = garbled === true ? undefined : rest.next().value;
      return entry ?? refused(number, "expected UTF-8");
    });
  }
  if (format === "ndjson") return lines.map(({ number, text }) => jsonEntry(text, number, bucket));
  try {
    const records = csvRecords(lines.map(({ text }) => text).join("\n"));
    if (records.length === lines.length) return records.map((fields, at) => csvEntry(fields, lines[at]?.number ?? 0));
  } catch {
    // One line among them is no CSV: each is read by itself, to find out which.
  }
  return lines.map(({ number, text }) => {
    try {
      return csvEntry(csvRecords(text)[0] ?? [], number);
    } catch (error) {
      return refused(number, `expected CSV, got: ${error instanceof Error ? error.message : "something else"}`);
    }
  });
}

function csvRecords(text: string): string[][] {
  return parse(text, { relax_column_count: true, skip_empty_lines: false, trim: true });
}

function csvEntry(fields: readonly string[], number: number): ManifestEntry {
  const [bucket = "", encoded = "", versionId = ""] = fields;
  if (fields.length < 2) return refused(number, "expected bucket,key[,versionId]");
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

const JsonLine = z.object({
  bucket: BucketName.optional(),
  key: z.string().min(1),
  versionId: z.string().min(1).max(1024).optional(),
  etag: z.string().min(1).max(256).optional(),
  size: z.int().nonnegative().optional(),
  lastModified: z.iso.datetime().optional(),
  storageClass: z.string().optional(),
  destinationKey: z.string().min(1).optional(),
  /** What an earlier batch proved to have copied there: a move goes on from it. */
  copied: z.object({ etag: z.string().min(1).max(256), verified: Verified }).optional(),
});

function jsonEntry(text: string, number: number, defaultBucket: string | undefined): ManifestEntry {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refused(number, `expected a JSON object, got ${text.slice(0, 100)}`);
  }
  const parsed = JsonLine.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refused(number, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "expected an object"}`);
  }
  const { bucket = defaultBucket, ...entry } = parsed.data;
  if (bucket === undefined)
    return refused(number, "expected a bucket, here or for the whole manifest", { bucket: "", key: entry.key });
  return { ...entry, bucket };
}

function refused(number: number, expected: string, place = { bucket: "", key: "" }): ManifestEntry {
  const code = "InvalidManifestLine";
  return { ...place, refusal: { code, message: `${code}: line ${number}: ${expected}` } };
}
