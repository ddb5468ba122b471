import { setImmediate } from "node:timers/promises";
import { parse } from "csv-parse/sync";
import { z } from "zod";
import { BucketName, Verified } from "../../model/entities.ts";
import { closestName } from "../../model/closest-name.ts";
import { unquoteEtag } from "../../model/etag.ts";
import { MAX_KEY_BYTES } from "../../model/object-key.ts";
import type { ManifestSource } from "../spec/fields.ts";
import type { ManifestEntry } from "../state/chunk-manifest.ts";

/** Longer lines name no object: a key has at most 1,024 bytes, URL-encoded three times as many, and a line names two of them. */
export const MAX_LINE_BYTES = 64 * 1024;

/** Bytes of lines that are parsed in one go, and for how long that may keep a worker from everything else, health checks among it. */
const SLICE_BYTES = 32 * 1024;
const TURN_MS = 10;

/** Lines of a manifest by their numbers; one that is no UTF-8 has no text. */
export type Lines = readonly { readonly number: number; readonly text?: string }[];

type Reading = Pick<ManifestSource, "format" | "bucket"> & { readonly columns?: readonly string[] | undefined };

/**
 * What lines name; one that cannot be read becomes an entry that says so, with the line's number. Lets others have their turn: a thousand lines may be
 * as long as lines may be, and hold anything.
 */
export async function parseManifestLines(lines: Lines, reading: Reading): Promise<ManifestEntry[]> {
  const entries: ManifestEntry[] = [];
  let turn = performance.now();
  for (let at = 0; at < lines.length;) {
    const start = at;
    for (let bytes = 0; at < lines.length && (at === start || bytes < SLICE_BYTES); at++)
      bytes += lines[at]?.text?.length ?? 0;
    for (const [index, entry] of parseSlice(lines.slice(start, at), reading).entries())
      entries.push(withinLimits(entry, lines[start + index]?.number ?? 0));
    if (performance.now() - turn < TURN_MS) continue;
    await setImmediate();
    turn = performance.now();
  }
  return entries;
}

/** No object has a longer key, and what is kept of a chunk has room for a thousand of those that there are. */
function withinLimits(entry: ManifestEntry, number: number): ManifestEntry {
  const { bucket, key, destinationKey = "", refusal } = entry;
  if (Math.max(bucket.length, key.length, destinationKey.length) <= MAX_KEY_BYTES) return entry;
  const place = { bucket: bucket.slice(0, 255), key: key.slice(0, MAX_KEY_BYTES) };
  return refusal === undefined ? refused(number, "expected keys of at most 1,024 bytes", place) : { ...place, refusal };
}

function parseSlice(lines: Lines, { format, bucket, columns }: Reading): ManifestEntry[] {
  if (format === "ndjson")
    return lines.map(({ number, text }) => (text === undefined ? notUtf8(number) : jsonEntry(text, number, bucket)));
  try {
    const texts = lines.flatMap(({ text }) => (text === undefined ? [] : [text]));
    const records = csvRecords(texts.join("\n"));
    if (records.length === lines.length)
      return records.map((fields, at) => csvEntry(fields, lines[at]?.number ?? 0, columns));
  } catch (error) {
    const [only, ...others] = lines;
    if (only !== undefined && others.length === 0) return [notCsv(only.number, error)];
    // One line among them is no CSV: each is read by itself, to find out which.
  }
  return lines.map(({ number, text }) => {
    if (text === undefined) return notUtf8(number);
    try {
      return csvEntry(csvRecords(text)[0] ?? [], number, columns);
    } catch (error) {
      return notCsv(number, error);
    }
  });
}

function notCsv(number: number, error: unknown): ManifestEntry {
  return refused(number, `expected CSV, got: ${error instanceof Error ? error.message : "something else"}`);
}

const BESIDE_QUOTES = /"[ \t]+(,|$)|(^|,)[ \t]+"/m;
const BESIDE_BARE = /(^|,)[ \t]+[^" \t,]|[^" \t,][ \t]+(,|$)/m;

/** The fields of lines of CSV, as they are: blanks around quotes are no part of them, all others may be. */
export function csvRecords(text: string): string[][] {
  const trim = BESIDE_QUOTES.test(text) && !BESIDE_BARE.test(text);
  return parse(text, { relax_column_count: true, skip_empty_lines: false, trim });
}

function csvEntry(fields: readonly string[], number: number, columns: readonly string[] | undefined): ManifestEntry {
  const named = (...names: readonly string[]): string =>
    fields[columns?.findIndex((name) => names.includes(name)) ?? -1] ?? "";
  if (fields.length < 2) return refused(number, "expected bucket,key[,versionId]");
  const [bucket, encoded, versionId] =
    columns === undefined
      ? [(fields[0] ?? "").trim(), fields[1] ?? "", versionByPosition(fields.map((field) => field.trim()))]
      : [named("bucket").trim(), named("key"), named("versionid", "version").trim()];
  if (versionId === undefined)
    return refused(
      number,
      `expected a version as the third of ${fields.length} columns, got ${(fields[2] ?? "").slice(0, 100)}; name the columns in a header`,
    );
  // Cut off, it would be another object's; kept, it may be meant to be cut off.
  if (/^[ \t]|[ \t]$/.test(encoded))
    return refused(
      number,
      `expected a URL-encoded key, got blanks at an end of "${encoded.slice(0, 100)}"; write %20 for one that belongs to it`,
      { bucket, key: encoded },
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
  key: z.string().min(1).max(MAX_LINE_BYTES).meta({ description: "Key of the object, as it is: not URL-encoded" }),
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
  storageClass: z.string().max(64).optional().meta({ description: "Its storage class, where that is known" }),
  destinationKey: z
    .string()
    .min(1)
    .max(MAX_LINE_BYTES)
    .optional()
    .meta({ description: "Key of the copy; overrules `destination.prefix`" }),
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
  const line = typeof value === "object" && value !== null && !Array.isArray(value) ? fieldsOf(value) : value;
  const parsed = ManifestLine.safeParse(line);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refused(number, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "expected an object"}`);
  }
  const misspelt = misspeltIn(Object.keys(line as object)); // it was parsed as one
  if (misspelt !== undefined)
    return refused(number, misspelt, { bucket: parsed.data.bucket ?? "", key: parsed.data.key });
  const { bucket = defaultBucket, ...entry } = parsed.data;
  if (bucket === undefined)
    return refused(number, "expected a bucket, here or for the whole manifest", { bucket: "", key: entry.key });
  return { ...entry, bucket };
}

const FIELDS = new Map(Object.keys(ManifestLine.shape).map((name) => [name.toLowerCase(), name]));

/** Programs write null, or nothing between quotes, for what they do not know, and S3's own names begin in upper case. */
function fieldsOf(line: object): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(line) as [string, unknown][]) {
    const field = FIELDS.get(name.toLowerCase()) ?? name;
    const unknown = value === null || (value === "" && field !== "key" && field !== "destinationKey");
    // As it is spelled in the docs, where a line has both.
    if (!unknown && (field === name || fields[field] === undefined)) fields[field] = value;
  }
  return fields;
}

/** Columns that others add are ignored, but one that was meant to name a version or another key would change what is done. */
function misspeltIn(fields: readonly string[]): string | undefined {
  const open = ["versionId", "destinationKey"].filter((field) => !fields.includes(field));
  for (const name of fields) {
    if (FIELDS.has(name.toLowerCase()) || name.length > MAX_NAME) continue;
    const meant = closestName(name, open);
    if (meant !== undefined) return `unknown field ${JSON.stringify(name)}; did you mean ${meant}?`;
  }
  return undefined;
}

/** Longer names are near to none of ours. */
const MAX_NAME = 32;

function notUtf8(number: number): ManifestEntry {
  return refused(number, "expected UTF-8, got other bytes, whose key would be another");
}

function refused(number: number, expected: string, place = { bucket: "", key: "" }): ManifestEntry {
  const code = "InvalidManifestLine";
  return { ...place, refusal: { code, message: `${code}: line ${number}: ${expected}` } };
}
