import * as fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { startSandbox } from "../sandbox/index.ts";
import { call, connectionTo, content, MIB, openS3 } from "../test/open-s3.ts";
import { createS3 } from "./create.ts";
import { carriedHeaders } from "./requests/attributes/input.ts";
import { factsFromHeaders } from "./requests/object-facts.ts";
import type { Overrides, S3 } from "./interface.ts";

/** Text that headers carry: ASCII, accents, other scripts, spaces of every kind inside, what looks like an encoded word. */
const value = fc
  .array(
    fc.oneof(
      fc.stringMatching(/^[!-~]{1,6}$/),
      fc.constantFrom(
        "r\u00e9sum\u00e9",
        "\u65e5\u672c",
        "\u{1F600}",
        "a b",
        "a\u00a0b",
        "a\u3000b",
        "0",
        "-1",
        "=?UTF-8?Q?a=20b?=",
        '"q;x"',
      ),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((parts) => parts.join(" "));
const header = value.filter((text) => !text.includes("aws-chunked"));

const attributes = fc.record(
  {
    contentType: header,
    contentEncoding: fc.constantFrom("gzip", "br", "gzip,br"),
    contentDisposition: header,
    contentLanguage: header,
    cacheControl: header,
    expires: fc.oneof(header, fc.constantFrom("0", "-1", "never", "1632280617", "Thu, 01 Dec 2033 16:00:00 GMT")),
    websiteRedirect: fc.constantFrom("/new place", "https://example.com/?a=b&c"),
    metadata: fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9._-]{0,8}$/), value, { maxKeys: 3 }),
    tags: fc.dictionary(
      fc.stringMatching(/^[a-zA-Z+=.:/@ -]{1,12}$/).filter((tag) => tag.trim() === tag),
      fc.stringMatching(/^[a-zA-Z0-9+=.:/@-]{0,20}$/),
      { maxKeys: 10 },
    ),
    storageClass: fc.constantFrom("STANDARD_IA", "ONEZONE_IA"),
  },
  { requiredKeys: [] },
);

const SAID = [
  "contentType",
  "contentEncoding",
  "contentDisposition",
  "contentLanguage",
  "cacheControl",
  "expires",
  "websiteRedirect",
  "metadata",
  "storageClass",
] as const;

/** What a store says of an object, as far as a writer can say it. */
async function seen(store: S3, bucket: string, key: string): Promise<Overrides> {
  const object = await store.head({ bucket, key }, call);
  const said: Overrides = Object.fromEntries(SAID.map((name) => [name, object[name]]));
  return { ...said, tags: await store.tags({ bucket, key }, call) };
}

test("carries every attribute through a put, a plain copy, parts, a copy in place and another store", async () => {
  const { sandbox, s3, pin, connect } = await openS3();
  const inParts = connect({ multipartThreshold: 5 * MIB });
  const elsewhere = await startSandbox();
  onTestFinished(() => elsewhere.close());
  elsewhere.createBucket("out");
  const there = createS3(connectionTo(elsewhere, { name: "there" }));
  onTestFinished(() => there.close());
  const small = content(11);
  const large = content(5 * MIB + 1);
  const put = async (key: string, { bytes, stream }: typeof small, said: Overrides): Promise<Overrides> => {
    await s3.put({ bucket: "in", key, body: stream(), size: bytes.length, attributes: said }, call);
    return await seen(s3, "in", key);
  };
  const pinned = async (key: string) => {
    const { websiteRedirect = "" } = await s3.head({ bucket: "in", key }, call);
    return { ...pin("in", key), websiteRedirect };
  };
  await fc.assert(
    fc.asyncProperty(attributes, async (said) => {
      const asked = { metadata: {}, tags: {}, storageClass: "STANDARD", ...said };
      const whole = await put("small", small, said);
      expect(whole).toMatchObject(asked);
      expect(await put("large", large, said)).toEqual(whole);
      await s3.copy({ source: await pinned("small"), bucket: "out", key: "plain" }, call);
      expect(await seen(s3, "out", "plain")).toEqual(whole);
      await inParts.copy({ source: await pinned("large"), bucket: "out", key: "parts" }, call);
      expect(await seen(s3, "out", "parts")).toEqual(whole);
      await there.copyFrom(s3, { source: await pinned("small"), bucket: "out", key: "across" }, call);
      // Storage classes are each store's own.
      expect(await seen(there, "out", "across")).toEqual({ ...whole, storageClass: "STANDARD" });
      const replaced = {
        bucket: "in",
        key: "small",
        overrides: { cacheControl: "no-store", storageClass: "STANDARD" },
      };
      await s3.copy({ source: await pinned("small"), ...replaced }, call);
      expect(await seen(s3, "in", "small")).toEqual({ ...whole, ...replaced.overrides });
    }),
    { numRuns: 15 },
  );
  expect(sandbox.uploads()).toEqual([]);
});

test("refuses to send again what is no UTF-8, and lets the job say it anew", () => {
  const object = { bucket: "in", key: "a" };
  const headers = {
    etag: '"e"',
    "last-modified": "Thu, 01 Dec 2033 16:00:00 GMT",
    "content-length": "1",
    "content-disposition": "attachment; filename=caf\u00e9.txt",
  };
  const facts = factsFromHeaders(headers, object, { operation: "HeadObject", ...object });
  expect(() => carriedHeaders(facts, { contentType: "text/plain" })).toThrow(
    /content-disposition of s3:\/\/in\/a as ASCII or UTF-8/,
  );
  expect(carriedHeaders(facts, { contentDisposition: "inline" })).toMatchObject({ ContentDisposition: "inline" });
});
