/** A ListObjectsV2 answer, its keys still URL-encoded. */
export type Listing = {
  readonly Name?: string | undefined;
  readonly IsTruncated?: boolean | undefined;
  readonly EncodingType?: string | undefined;
  readonly NextContinuationToken?: string | undefined;
  readonly CommonPrefixes?: readonly { readonly Prefix?: string | undefined }[] | undefined;
  readonly Contents?: readonly ListingEntry[] | undefined;
};

export type ListingEntry = {
  readonly Key?: string | undefined;
  readonly Size?: number | undefined;
  readonly ETag?: string | undefined;
  /** ISO 8601 with milliseconds in UTC, or a date. */
  readonly LastModified?: string | Date | undefined;
  readonly StorageClass?: string | undefined;
};

const ROOT = /^\s*(?:<\?xml[^<>]*\?>\s*)?<ListBucketResult(?:\s[^<>]*)?>/;
const END = /\s*<\/ListBucketResult>\s*$/y;
/** A field with nothing but text in it. */
const FIELD = /\s*<([A-Za-z0-9]+)(?:\/>|>([^<>]*)<\/\1>)/y;
/** Fields of an entry that have fields of their own, of which nothing is read. */
const GROUP = /\s*<(Owner|RestoreStatus)>(?:\s*<([A-Za-z0-9]+)(?:\/>|>[^<>]*<\/\2>))*\s*<\/\1>/y;
const OPEN = /\s*<(Contents|CommonPrefixes)>/y;
const CLOSE = { Contents: /\s*<\/Contents>/y, CommonPrefixes: /\s*<\/CommonPrefixes>/y } as const;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/**
 * Reads a listing as stores commonly write it, at a fraction of what an XML parser costs: it is read for every thousand objects of every batch.
 * `undefined` for whatever is not just that (attributes, comments, entities, fields that come twice, no URL-encoding ...): the SDK then asks
 * and reads again.
 */
export function parseListing(body: string): Listing | undefined {
  const root = ROOT.exec(body);
  if (root === null) return undefined;
  const place = { at: root[0].length };
  const fields: Fields = new Map();
  const Contents: ListingEntry[] = [];
  const CommonPrefixes: { readonly Prefix: string }[] = [];
  while (match(END, body, place) === null) {
    const opened = match(OPEN, body, place)?.[1];
    if (opened === undefined) {
      if (!readField(body, place, fields)) return undefined;
      continue;
    }
    const inner = readEntry(body, place, opened as keyof typeof CLOSE); // OPEN knows no other
    if (inner === undefined) return undefined;
    if (opened === "CommonPrefixes") {
      const Prefix = inner.get("Prefix");
      if (Prefix === undefined) return undefined;
      CommonPrefixes.push({ Prefix });
    } else {
      const entry = entryOf(inner);
      if (entry === undefined) return undefined;
      Contents.push(entry);
    }
  }
  const truncated = fields.get("IsTruncated");
  if ((truncated !== "true" && truncated !== "false") || fields.get("EncodingType") !== "url") return undefined;
  return {
    Name: fields.get("Name"),
    IsTruncated: truncated === "true",
    EncodingType: "url",
    NextContinuationToken: fields.get("NextContinuationToken"),
    CommonPrefixes,
    Contents,
  };
}

type Fields = Map<string, string>;
type Place = { at: number };

function match(pattern: RegExp, body: string, place: Place): RegExpExecArray | null {
  pattern.lastIndex = place.at;
  const found = pattern.exec(body);
  if (found !== null) place.at = pattern.lastIndex;
  return found;
}

/** False where something else comes, or a field for the second time. */
function readField(body: string, place: Place, fields: Fields): boolean {
  const found = match(FIELD, body, place);
  const name = found?.[1];
  const text = plain(found?.[2] ?? "");
  if (name === undefined || text === undefined || fields.has(name)) return false;
  fields.set(name, text);
  return true;
}

function readEntry(body: string, place: Place, name: keyof typeof CLOSE): Fields | undefined {
  const fields: Fields = new Map();
  while (match(CLOSE[name], body, place) === null) {
    // What stands there for each algorithm of a checksum is not read.
    if (match(GROUP, body, place) !== null || match(CHECKSUM, body, place) !== null) continue;
    if (!readField(body, place, fields)) return undefined;
  }
  return fields;
}

const CHECKSUM = /\s*<(ChecksumAlgorithm)>[A-Za-z0-9_]*<\/\1>/y;

function entryOf(fields: Fields): ListingEntry | undefined {
  const [Key, size, ETag, LastModified] = ["Key", "Size", "ETag", "LastModified"].map((name) => fields.get(name));
  if (Key === undefined || size === undefined || ETag === undefined || LastModified === undefined) return undefined;
  const Size = Number(size);
  if (!/^\d+$/.test(size) || !Number.isSafeInteger(Size)) return undefined;
  if (!TIME.test(LastModified) || Number.isNaN(Date.parse(LastModified))) return undefined;
  return { Key, Size, ETag, LastModified, StorageClass: fields.get("StorageClass") };
}

/** Without the one entity that is common, the quotes of an ETag; `undefined` with any other. */
function plain(text: string): string | undefined {
  if (!text.includes("&")) return text;
  const unquoted = text.replaceAll(/&quot;|&#34;/g, '"');
  return unquoted.includes("&") ? undefined : unquoted;
}
