import { describe, expect, test } from "vitest";
import { call, errorOf, openOddStore, openS3 } from "../../../test/open-s3.ts";
import type { ListPage, ListRequest, S3 } from "../../interface.ts";

async function all(s3: S3, request: ListRequest): Promise<ListPage[]> {
  const pages: ListPage[] = [];
  for (let token: string | undefined; ;) {
    const page = await s3.listPage({ ...request, ...(token !== undefined && { continuationToken: token }) }, call);
    pages.push(page);
    if (page.next === undefined) return pages;
    token = page.next;
  }
}

test("lists page by page, to the end and not beyond", async () => {
  const { sandbox, s3 } = await openS3();
  for (let index = 0; index < 7; index += 1) sandbox.put("in", `k${index}`, "x".repeat(index));
  const pages = await all(s3, { bucket: "in", maxKeys: 3 });
  expect(pages.map(({ objects }) => objects.map(({ key }) => key))).toEqual([
    ["k0", "k1", "k2"],
    ["k3", "k4", "k5"],
    ["k6"],
  ]);
  expect(pages[1]?.objects[0]).toEqual({
    bucket: "in",
    key: "k3",
    size: 3,
    etag: expect.stringMatching(/^[0-9a-f]{32}$/),
    lastModified: expect.stringMatching(/^\d{4}-.*Z$/),
    storageClass: "STANDARD",
  });
  expect((await s3.listPage({ bucket: "in", startAfter: "k4" }, call)).objects.map(({ key }) => key)).toEqual([
    "k5",
    "k6",
  ]);
});

test("lists common prefixes, decoded, where a delimiter is given", async () => {
  const { sandbox, s3 } = await openS3();
  for (const key of ["a+b/x", "a+b/y", "a b/x", "top"]) sandbox.put("in", key, "");
  const [page] = await all(s3, { bucket: "in", delimiter: "/" });
  expect(page).toMatchObject({ prefixes: ["a b/", "a+b/"], objects: [{ key: "top" }] });
});

test("lists every key byte for byte, also those that XML cannot carry", async () => {
  const keys = [
    "a b",
    "a+b",
    "a%2Bb",
    "%41",
    "x\r\ny",
    "\u0001",
    "ü/é",
    "日本",
    "\u{1F600}",
    "<&>'\"",
    "a\u2028b",
    "trailing ",
  ];
  const { sandbox, s3 } = await openS3();
  for (const key of keys) sandbox.put("in", key, "");
  const [page] = await all(s3, { bucket: "in" });
  expect(page?.objects.map(({ key }) => key).toSorted()).toEqual(keys.toSorted());
  // The sandbox's answers survive without it; what AWS sends then is no XML.
  expect(sandbox.log.at(-1)?.query.get("encoding-type")).toBe("url");
  for (const key of keys) {
    const found = await s3.listPage({ bucket: "in", prefix: key }, call);
    expect(found.objects.map((object) => object.key)).toContain(key);
  }
});

test("does not decode what a store that ignores the encoding sends", async () => {
  const { sandbox, s3 } = await openS3({ sandbox: { quirks: { noUrlEncoding: true } } });
  sandbox.put("in", "a+b%20c", "");
  expect((await s3.listPage({ bucket: "in" }, call)).objects).toMatchObject([{ key: "a+b%20c" }]);
});

test.each(["empty-200", "html-200", "error-in-200"] as const)("never takes a %s for an empty bucket", async (kind) => {
  const { sandbox, s3 } = await openS3();
  sandbox.put("in", "a", "hello");
  sandbox.fault({ kind, operation: "ListObjectsV2" });
  expect(await errorOf(s3.listPage({ bucket: "in" }, call))).toMatchObject({ retryable: true });
});

test("names a missing bucket", async () => {
  const { s3 } = await openS3();
  expect(await errorOf(s3.listPage({ bucket: "nope" }, call))).toMatchObject({
    code: "NoSuchBucket",
    message: expect.stringContaining("no bucket nope"),
    retryable: false,
  });
});

describe("an answer that is not a listing of what was asked for is unproven", () => {
  const entry = "<Contents><Key>a</Key><Size>1</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>";
  test.each([
    ["another bucket", `<Name>other</Name><IsTruncated>false</IsTruncated>`, {}],
    ["no bucket", `<IsTruncated>false</IsTruncated>`, {}],
    ["no word on whether there is more", `<Name>in</Name>${entry}`, {}],
    ["more, and no token", `<Name>in</Name><IsTruncated>true</IsTruncated>${entry}`, {}],
    [
      "more, and the token that was sent",
      `<Name>in</Name><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>${entry}`,
      { continuationToken: "t" },
    ],
    [
      "an object without a size",
      `<Name>in</Name><IsTruncated>false</IsTruncated><Contents><Key>a</Key></Contents>`,
      {},
    ],
    [
      "a key that cannot be decoded",
      `<Name>in</Name><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>${entry.replace(">a<", ">%ff<")}`,
      {},
    ],
  ])("%s", async (_, body, request) => {
    const s3 = await openOddStore((__, response) => {
      response.end(`<?xml version="1.0"?><ListBucketResult>${body}</ListBucketResult>`);
    });
    expect(await errorOf(s3.listPage({ bucket: "in", ...request }, call))).toMatchObject({
      code: "UnprovenResponse",
      retryable: true,
    });
  });
});

test("does not ask a store again that lists other keys than those of the prefix", async () => {
  const entry = "<Contents><Key>a</Key><Size>1</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>";
  for (const found of [entry, "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>"]) {
    let asked = 0;
    const s3 = await openOddStore((_, response) => {
      asked += 1;
      response.end(`<ListBucketResult><Name>in</Name><IsTruncated>false</IsTruncated>${found}</ListBucketResult>`);
    });
    const page = s3.listPage({ bucket: "in", prefix: "b/" }, call);
    expect(await errorOf(page)).toMatchObject({ code: "PrefixIgnored", retryable: false });
    // Once by the fast path, and once by the SDK at most.
    expect(asked).toBeLessThan(3);
  }
});
