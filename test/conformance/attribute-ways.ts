import assert from "node:assert/strict";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import fc from "fast-check";
import { ActivityError } from "../../model/activity-error.ts";
import type { Overrides, Pin, S3 } from "../../s3/interface.ts";
import { ATTRIBUTES, META } from "../../s3/requests/attribute-table.ts";
import { call } from "../open-s3.ts";

/** Where generated objects go. */
export type Ends = {
  /** A store that copies whole, the same one that uploads and copies everything in parts, and another store. */
  readonly whole: S3;
  readonly parts: S3;
  readonly other: S3;
  /** Of both stores. */
  readonly bucket: string;
  readonly storageClasses: readonly string[];
};

/** Text that some tool mistakes for something else: Latin-1, encoded words, escapes, inner spaces. */
const odd = fc.constantFrom(
  "ä€🙂",
  "=?UTF-8?B?w7w=?=",
  "%C3%BC",
  "a  b",
  'say "hi"; x=1',
  "\u00a0",
  "'+&<>",
  "0",
  "é\u0301",
);
const word = fc.oneof(odd, fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }));
const header = fc
  .array(word, { minLength: 1, maxLength: 3 })
  .map((words) =>
    words
      .join(" ")
      .replaceAll(/[\p{C}\u2028\u2029]/gu, "")
      .trim(),
  )
  .filter((text) => text !== "");
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/);
const tag = fc.stringMatching(/^[\p{L}0-9+=._:/@-]{1,20}$/u);

/** What an object may have; each attribute is there in about half of them. */
export function objectAttributes(storageClasses: readonly string[]): fc.Arbitrary<Overrides> {
  return fc.record(
    {
      contentType: fc.oneof(fc.constantFrom("text/plain", 'text/x; q="a b"', "a/".padEnd(300, "x")), header),
      contentEncoding: fc.constantFrom("gzip", "br,gzip", "x-odd"),
      contentDisposition: header.map((text) => `attachment; filename="${text.replaceAll('"', "")}"`),
      contentLanguage: fc.constantFrom("de", "de, en"),
      cacheControl: header,
      expires: fc.oneof(fc.constantFrom("0", "-1", "Wed, 21 Oct 2026 07:28:00 GMT"), header),
      websiteRedirect: fc.constantFrom("/a?b=c", "https://example.com/ü"),
      metadata: fc.dictionary(name, fc.oneof(header, fc.constantFrom(" outer ", "line\nbreak")), { maxKeys: 4 }),
      tags: fc.dictionary(tag, tag, { maxKeys: 10 }),
      ...(storageClasses.length > 0 && { storageClass: fc.constantFrom(...storageClasses) }),
    },
    { requiredKeys: [] },
  );
}

/**
 * Uploads one object, whole and in parts, and sends it through every way of copying. Throws where anything of it is another at the other end: its bytes
 * as they come over the wire are compared, not what our own code reads in them.
 */
export async function throughEveryWay(ends: Ends, prefix: string, said: Overrides): Promise<"kept" | "refused"> {
  const { whole, parts, other, bucket } = ends;
  const body = Buffer.from("content that is longer than a part");
  const upload = (s3: S3, key: string): Promise<unknown> =>
    s3.put({ bucket, key, body: Readable.from([body]), size: body.length, attributes: said }, call);
  const source = `${prefix}source`;
  try {
    await upload(whole, source);
  } catch (error) {
    // A store that says no loses nothing.
    if (error instanceof ActivityError && !error.retryable && error.httpStatus === 400) return "refused";
    throw error;
  }
  await upload(parts, `${prefix}put-in-parts`);
  const { metadata } = await whole.head({ bucket, key: source }, call);
  assert.deepEqual({ ...metadata }, { ...said.metadata }, "the metadata that was said");
  const expected = await seen(whole, bucket, source);
  for (const { field, header: sent } of ATTRIBUTES)
    if (said[field] !== undefined)
      assert.equal(
        Buffer.from(expected.headers[sent] ?? "", "latin1").toString(),
        said[field],
        `the ${sent} that was said`,
      );
  assert.deepEqual(expected.tags, { ...said.tags }, "the tags that were said");

  const pin = await pinOf(whole, bucket, source);
  await whole.copy({ source: pin, bucket, key: `${prefix}copied` }, call);
  await parts.copy({ source: pin, bucket, key: `${prefix}copied-in-parts` }, call);
  await other.copyFrom(whole, { source: pin, bucket, key: `${prefix}across` }, call);
  for (const way of ["put-in-parts", "copied", "copied-in-parts"])
    assert.deepEqual(await seen(whole, bucket, `${prefix}${way}`), expected, way);
  const { "x-amz-storage-class": storageClass, ...headers } = expected.headers;
  // A class of one vendor's is none of another's.
  const isOneVendor = whole.connection.endpoint === other.connection.endpoint;
  const across = isOneVendor || storageClass === undefined ? expected : { ...expected, headers };
  assert.deepEqual(await seen(other, bucket, `${prefix}across`), across, "across stores");

  await whole.copy({ source: pin, bucket, key: source, overrides: { contentLanguage: "fr" } }, call);
  const inPlace = { ...expected, headers: { ...expected.headers, "content-language": "fr" } };
  assert.deepEqual(await seen(whole, bucket, source), inPlace, "in place");
  const tagged = {
    source: await pinOf(whole, bucket, source),
    bucket,
    key: source,
    overrides: { tags: { only: "these" } },
  };
  await whole.copy(tagged, call);
  assert.deepEqual(await seen(whole, bucket, source), { ...inPlace, tags: { only: "these" } }, "tagged in place");
  return "kept";
}

async function pinOf(s3: S3, bucket: string, key: string): Promise<Pin> {
  const { etag, size, lastModified, storageClass, websiteRedirect = "" } = await s3.head({ bucket, key }, call);
  return { bucket, key, etag, size, lastModified, storageClass, websiteRedirect };
}

const OF_OBJECTS = new Set<string>([...ATTRIBUTES.map(({ header: sent }) => sent), "x-amz-storage-class"]);

/** An object's headers as any client gets them, bytes as Latin-1, and its tags. */
async function seen(s3: S3, bucket: string, key: string) {
  const { url } = await s3.presign({ object: { bucket, key }, method: "get", expiresIn: 60 }, call);
  const request = get(url, { agent: false });
  const [answer] = (await once(request, "response")) as [IncomingMessage]; // its only argument
  answer.resume();
  const own = Object.entries(answer.headers).filter(([sent]) => OF_OBJECTS.has(sent) || sent.startsWith(META));
  const headers = Object.fromEntries(own.map(([sent, value]) => [sent, String(value)]));
  return { headers, tags: { ...(await s3.tags({ bucket, key }, call)) } };
}
