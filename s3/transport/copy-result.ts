/**
 * A store's answers differ in the values of their fields alone: what stands around those of one that was read whole. The next answer that has just
 * that around its values is read without a regular expression.
 */
type Shape = {
  readonly pieces: readonly string[];
  /** Which value is the ETag. */
  readonly etag: number;
};

/** Of the newest answer; a worker asks one store, or two. */
let shape: Shape | undefined;

// No two runs of whitespace meet, or 64 KiB of it would be looked at again and again. Whitespace before it keeps the connection of a long copy alive; anything after it, or any other root, is not S3's answer.
const COPY_RESULT =
  /^\s*(?:<\?xml[^<>]*\?>\s*)?<CopyObjectResult(?:\s[^<>]*)?>\s*((?:<([A-Za-z0-9]+)>[^<>]*<\/\2>\s*)*)<\/CopyObjectResult>\s*$/;

/** The ETag of a CopyObject answer, without quotes; `undefined` where the body is anything but a whole CopyObjectResult with one. */
export function copyResultEtag(body: string): string | undefined {
  return (shape && etagInShape(body, shape)) ?? etagOf(body);
}

function etagOf(body: string): string | undefined {
  const fields = COPY_RESULT.exec(body)?.[1];
  const etag = fields === undefined ? undefined : /<ETag>([^<>]*)<\/ETag>/.exec(fields)?.[1];
  const bare = etag?.replaceAll(/&quot;|&#34;|"/g, "").trim();
  if (fields === undefined || bare === undefined || !/^[0-9A-Za-z._-]+$/.test(bare)) return undefined;
  shape = shapeOf(body, fields);
  return bare;
}

/** `fields` is what stands within the root of an answer that was read whole. */
function shapeOf(body: string, fields: string): Shape {
  const pieces: string[] = [];
  let etag = -1;
  let from = 0;
  const start = body.lastIndexOf(fields);
  for (const field of fields.matchAll(/<([A-Za-z0-9]+)>([^<>]*)<\/\1>/g)) {
    const [, name = "", value = ""] = field;
    const valueAt = start + field.index + name.length + 2;
    if (name === "ETag" && etag === -1) etag = pieces.length;
    pieces.push(body.slice(from, valueAt));
    from = valueAt + value.length;
  }
  return { pieces: [...pieces, body.slice(from)], etag };
}

function etagInShape(body: string, { pieces, etag }: Shape): string | undefined {
  let at = 0;
  let found = "";
  for (let index = 0; index < pieces.length; index++) {
    const piece = pieces[index] ?? "";
    if (!body.startsWith(piece, at)) return undefined;
    at += piece.length;
    if (index === pieces.length - 1) break;
    const end = body.indexOf("<", at);
    if (end === -1) return undefined;
    const value = body.slice(at, end);
    if (value.includes(">")) return undefined;
    if (index === etag) found = value;
    at = end;
  }
  return at === body.length ? plainTag(found) : undefined;
}

/** In quotes as S3 writes them, and nothing but what a tag is made of; else the whole answer is read. */
function plainTag(value: string): string | undefined {
  const bare =
    value.startsWith("&quot;") && value.endsWith("&quot;")
      ? value.slice(6, -6)
      : value.startsWith('"') && value.endsWith('"')
        ? value.slice(1, -1)
        : value;
  if (bare === "") return undefined;
  for (let at = 0; at < bare.length; at++) if (!isTagUnit(bare.charCodeAt(at))) return undefined;
  return bare;
}

/** A digit, a letter, or one of `._-`. */
function isTagUnit(unit: number): boolean {
  const isDigit = unit >= 48 && unit <= 57;
  const isLetter = (unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90);
  return isDigit || isLetter || unit === 45 || unit === 46 || unit === 95;
}
