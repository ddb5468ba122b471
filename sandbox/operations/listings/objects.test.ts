import {
  ListObjectVersionsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { assert, property, string } from "fast-check";
import { describe, expect } from "vitest";
import { expectRefusal, raw, test } from "../../fixtures.ts";
import { compareKeys } from "../../storage/key-order.ts";
import { startSandbox } from "../../start.ts";

async function listAll(
  s3: S3Client,
  more: Partial<ListObjectsV2CommandInput>,
): Promise<{ keys: string[]; prefixes: string[]; pages: number }> {
  const seen = { keys: [] as string[], prefixes: [] as string[], pages: 0 };
  let token: string | undefined;
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket: "docs", ContinuationToken: token, ...more }));
    expect(page.KeyCount).toBe((page.Contents?.length ?? 0) + (page.CommonPrefixes?.length ?? 0));
    seen.keys.push(...(page.Contents ?? []).map((one) => one.Key ?? ""));
    seen.prefixes.push(...(page.CommonPrefixes ?? []).map((one) => one.Prefix ?? ""));
    seen.pages++;
    token = page.NextContinuationToken;
    expect(page.IsTruncated).toBe(token !== undefined);
  } while (token !== undefined);
  return seen;
}

test("lists in UTF-8 order, where an emoji comes after U+FFFD", async ({ sandbox, s3 }) => {
  const keys = ["z", "é", "\u{FFFD}", "😀", "a", "a/b", "a!"];
  for (const key of keys) sandbox.put("docs", key, "x");
  const expected = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  expect((await listAll(s3, {})).keys).toEqual(expected);
  expect((await listAll(s3, { MaxKeys: 2 })).keys).toEqual(expected);
  expect(sandbox.keys("docs")).toEqual(expected);
});

test("orders any two keys as their bytes are", () => {
  assert(
    property(string({ unit: "binary" }), string({ unit: "binary" }), (a, b) => {
      expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});

test("rolls keys up at the delimiter, over page borders", async ({ sandbox, s3 }) => {
  for (const key of ["a/1", "a/2", "a/b/3", "b", "c/1", "c//2", "d"]) sandbox.put("docs", key, "x");
  for (const MaxKeys of [1, 2, 3, 1000]) {
    const top = await listAll(s3, { Delimiter: "/", MaxKeys });
    expect([top.keys, top.prefixes]).toEqual([
      ["b", "d"],
      ["a/", "c/"],
    ]);
    const inside = await listAll(s3, { Delimiter: "/", Prefix: "a/", MaxKeys });
    expect([inside.keys, inside.prefixes]).toEqual([["a/1", "a/2"], ["a/b/"]]);
  }
  expect((await listAll(s3, { Delimiter: "/", Prefix: "c/" })).prefixes).toEqual(["c//"]);
  expect((await listAll(s3, { StartAfter: "a/b/3", Prefix: "" })).keys).toEqual(["b", "c//2", "c/1", "d"]);
});

test("goes on after deletions and additions between pages", async ({ sandbox, s3 }) => {
  for (let i = 0; i < 10; i++) sandbox.put("docs", `k${i}`, "x");
  const first = await s3.send(new ListObjectsV2Command({ Bucket: "docs", MaxKeys: 5 }));
  sandbox.delete("docs", "k4");
  sandbox.delete("docs", "k6");
  sandbox.put("docs", "k5a", "x");
  const second = await s3.send(
    new ListObjectsV2Command({ Bucket: "docs", ContinuationToken: first.NextContinuationToken }),
  );
  expect(second.Contents?.map((one) => one.Key)).toEqual(["k5", "k5a", "k7", "k8", "k9"]);
});

test("answers what it was asked, and pages of no more than 1,000", async ({ sandbox, s3 }) => {
  sandbox.generate("docs", { count: 1500, size: 7, storageClass: "STANDARD_IA" });
  const page = await s3.send(
    new ListObjectsV2Command({ Bucket: "docs", MaxKeys: 5000, FetchOwner: true, Prefix: "0" }),
  );
  expect(page).toMatchObject({ Name: "docs", Prefix: "0", MaxKeys: 1000, KeyCount: 1000, IsTruncated: true });
  const head = sandbox.object("docs", page.Contents![0]!.Key!);
  expect(page.Contents?.[0]).toMatchObject({
    Size: 7,
    ETag: `"${head?.etag}"`,
    StorageClass: "STANDARD_IA",
    Owner: { ID: "000000000000" },
  });
  const none = await s3.send(new ListObjectsV2Command({ Bucket: "docs", MaxKeys: 0 }));
  expect([none.KeyCount, none.IsTruncated]).toEqual([0, false]);
  await expectRefusal(
    s3.send(new ListObjectsV2Command({ Bucket: "docs", ContinuationToken: "forged" })),
    "InvalidArgument",
    400,
  );
  await expectRefusal(s3.send(new ListObjectsV2Command({ Bucket: "docs", MaxKeys: -1 })), "InvalidArgument", 400);
});

describe("encoding", () => {
  const keys = ['a b+c/%&<"é😀', "n\r\n\tl", "x\u0001y"];

  test("url: encodes like a form, slashes excepted", async ({ sandbox }) => {
    for (const key of keys) sandbox.put("docs", key, "x");
    const { text } = await raw(sandbox, { path: "/docs?list-type=2&encoding-type=url&prefix=a%20b" });
    expect(text).toContain("<Key>a+b%2Bc/%25%26%3C%22%C3%A9%F0%9F%98%80</Key>");
    expect(text).toContain("<Prefix>a+b</Prefix>");
    expect(text).toContain("<EncodingType>url</EncodingType>");
    const all = await raw(sandbox, { path: "/docs?list-type=2&encoding-type=url" });
    const decoded = [...all.text.matchAll(/<Key>([^<]*)<\/Key>/g)].map((match) =>
      decodeURIComponent(match[1]!.replaceAll("+", " ")),
    );
    expect(decoded).toEqual(sandbox.keys("docs"));
  });

  test("none: control characters become references, which XML 1.0 parsers refuse or change", async ({ sandbox }) => {
    for (const key of keys) sandbox.put("docs", key, "x");
    const { text } = await raw(sandbox, { path: "/docs?list-type=2" });
    expect(text).toContain("<Key>x&#x1;y</Key>");
    expect(text).not.toContain("EncodingType");
    expect((await raw(sandbox, { path: "/docs?list-type=2&encoding-type=zip" })).status).toBe(400);
  });

  test("is ignored where told to", async () => {
    await using careless = await startSandbox({ quirks: { noUrlEncoding: true } });
    careless.createBucket("docs");
    careless.put("docs", "a b", "x");
    const { text } = await raw(careless, { path: "/docs?list-type=2&encoding-type=url" });
    expect(text).toContain("<Key>a b</Key>");
    expect(text).not.toContain("EncodingType");
  });
});

test("version 1 pages by marker", async ({ sandbox, s3 }) => {
  for (const key of ["a/1", "a/2", "b", "c/1", "d"]) sandbox.put("docs", key, "x");
  const first = await s3.send(new ListObjectsCommand({ Bucket: "docs", MaxKeys: 1, Delimiter: "/" }));
  expect([first.CommonPrefixes, first.NextMarker, first.IsTruncated]).toEqual([[{ Prefix: "a/" }], "a/", true]);
  const second = await s3.send(
    new ListObjectsCommand({ Bucket: "docs", MaxKeys: 2, Delimiter: "/", Marker: first.NextMarker }),
  );
  expect([second.Contents?.map((one) => one.Key), second.CommonPrefixes]).toEqual([["b"], [{ Prefix: "c/" }]]);
  const plain = await s3.send(new ListObjectsCommand({ Bucket: "docs", MaxKeys: 2 }));
  expect([plain.Contents?.map((one) => one.Key), plain.NextMarker]).toEqual([["a/1", "a/2"], undefined]);
});

test("versions and delete markers are listed newest first, over page borders", async ({ sandbox, s3 }) => {
  sandbox.createBucket("versioned", { versioning: true });
  for (const body of ["1", "2", "3"]) sandbox.put("versioned", "a", body);
  sandbox.put("versioned", "b/1", "x");
  sandbox.delete("versioned", "a");
  sandbox.put("versioned", "c", "x");
  for (const MaxKeys of [1, 2, 3, 1000]) {
    const seen: string[] = [];
    let markers: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } | undefined = {};
    while (markers !== undefined) {
      const page: Awaited<ReturnType<typeof send>> = await send(s3, { MaxKeys, ...markers });
      seen.push(...(page.DeleteMarkers ?? []).map((one) => `${one.Key} marker ${one.VersionId} ${one.IsLatest}`));
      seen.push(...(page.Versions ?? []).map((one) => `${one.Key} ${one.VersionId} ${one.IsLatest}`));
      seen.push(...(page.CommonPrefixes ?? []).map((one) => `${one.Prefix}`));
      markers = page.IsTruncated
        ? { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }
        : undefined;
    }
    const [marker, ...older] = sandbox.versions("versioned", "a").map((one) => one.versionId);
    const expected = [
      `a marker ${marker} true`,
      ...older.map((id) => `a ${id} false`),
      "b/",
      `c ${sandbox.object("versioned", "c")?.versionId} true`,
    ];
    expect([MaxKeys, seen.toSorted()]).toEqual([MaxKeys, expected.toSorted()]);
  }
  expect(sandbox.keys("versioned")).toEqual(["b/1", "c"]);
});

function send(s3: S3Client, more: object) {
  return s3.send(new ListObjectVersionsCommand({ Bucket: "versioned", Delimiter: "/", ...more }));
}
