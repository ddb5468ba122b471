import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { ManifestEntry } from "../state/chunk-manifest.ts";
import { parseManifestLines } from "./manifest-entries.ts";
import { readManifestLines } from "./manifest-lines.ts";

async function entriesOf(content: string | Buffer, format: "csv" | "ndjson", size = 1000): Promise<ManifestEntry[]> {
  const found: ManifestEntry[] = [];
  let cursor: Parameters<typeof readManifestLines>[1]["cursor"] = { offset: 0, line: 0 };
  // As chunks do: one group each, from the cursor of the one before.
  for (;;) {
    const group = await firstOf(content, { cursor, size, format });
    if (group === undefined) return found;
    found.push(...(await parseManifestLines(group.lines, { format, columns: group.cursor.columns })));
    cursor = group.cursor;
    if (group.lines.length < size) return found;
  }
}

async function firstOf(content: string | Buffer, options: Parameters<typeof readManifestLines>[1]) {
  for await (const group of readManifestLines(Readable.from([Buffer.from(content)], { objectMode: false }), options))
    return group;
  return undefined;
}

const plain = { bucket: "in", key: "a b" };

test.each([
  [
    "a header in another order",
    "Size,Key,Bucket,Version ID\n7,a+b,in,v1\n8,a+b,in,\n",
    [{ ...plain, versionId: "v1" }, plain],
  ],
  ["an inventory of current versions", '"in","a+b","7","2026-11-20T08:00:00.000Z"\n', [plain]],
  [
    "an inventory of all versions",
    "in,a+b,v1,true,false,7\nin,a+b,,false,false,7\n",
    [{ ...plain, versionId: "v1" }, plain],
  ],
  ["blanks around quotes", '"in" , "a+b"\n in,a+b\n', [plain, plain]],
  ["three columns, the null version too", "in,a+b,null\n", [{ ...plain, versionId: "null" }]],
])("reads %s", async (_, text, expected) => {
  expect(await entriesOf(text, "csv")).toEqual(expected);
  expect(await entriesOf(text, "csv", 1)).toEqual(expected);
  expect(await entriesOf(gzipSync(text), "csv", 1)).toEqual(expected);
});

test("refuses a line whose third column is no version, and says what helps", async () => {
  const [entry] = await entriesOf("in,a,STANDARD,7\n", "csv");
  expect(entry?.refusal?.message).toMatch(/line 1: expected a version as the third of 4 columns, got STANDARD.*header/);
});

test("reads weak ETags, null and offsets in NDJSON", async () => {
  const line = { bucket: "in", key: "a", etag: 'W/"abc"', versionId: null, lastModified: "2026-11-20T02:00:00+02:00" };
  expect(await entriesOf(`${JSON.stringify(line)}\n`, "ndjson")).toEqual([
    { bucket: "in", key: "a", etag: "abc", lastModified: "2026-11-20T00:00:00.000Z" },
  ]);
});

test.each(["csv", "ndjson"] as const)("refuses a line of %s that is no UTF-8, and no other", async (format) => {
  const good = format === "csv" ? "in,a\n" : '{"bucket":"in","key":"a"}\n';
  const content = Buffer.concat([Buffer.from(good), Buffer.from("in,caf\u00e9\n", "latin1"), Buffer.from(good)]);
  const entries = await entriesOf(content, format);
  expect(entries.map(({ key, refusal }) => refusal?.message ?? key)).toEqual([
    "a",
    expect.stringMatching(/^InvalidManifestLine: line 2: expected UTF-8/),
    "a",
  ]);
});

test("lets go of a line that has no end, and goes on with the one behind it", async () => {
  // 256 MiB: held, and copied for each piece that comes, it would not end.
  const piece = gzipSync(Buffer.alloc(8 * 1024 * 1024, "a"), { level: 1 });
  const content = Buffer.concat([...Array.from({ length: 32 }, () => piece), gzipSync("\nin,b\n")]);
  const entries = await entriesOf(content, "csv");
  expect(entries.map(({ key, refusal }) => [key, refusal?.code])).toEqual([
    ["", "InvalidManifestLine"],
    ["b", undefined],
  ]);
});

test.each([
  ["csv", `in,${"k".repeat(1025)}\n`],
  ["ndjson", `{"bucket":"in","key":"a","destinationKey":"${"k".repeat(1025)}"}\n`],
] as const)("refuses a key of %s that is longer than any", async (format, line) => {
  const [entry] = await entriesOf(line, format);
  expect(entry?.refusal?.message).toContain("at most 1,024 bytes");
  expect(entry?.key.length).toBeLessThanOrEqual(1024);
});

test("refuses a bare key with blanks at an end, which cut off would be another's, and keeps every other space", async () => {
  const entries = await entriesOf('in,a \nin,a\u00a0\n"in","a "\nin, a\nin,a%20\n', "csv");
  expect(entries.map(({ key, refusal }) => (refusal === undefined ? key : "refused"))).toEqual([
    "refused",
    "a\u00a0",
    "refused",
    "refused",
    "a ",
  ]);
  expect(entries[0]?.refusal?.message).toContain('blanks at an end of "a "; write %20');
});

test("takes NDJSON with S3's own spelling of names, and nothing between quotes for what is not known", async () => {
  const line = { Bucket: "in", Key: "a", ETag: '"e"', Size: 1, VersionId: "", StorageClass: null };
  expect(await entriesOf(JSON.stringify(line), "ndjson")).toEqual([{ bucket: "in", key: "a", etag: "e", size: 1 }]);
});

test("refuses an NDJSON line whose version or new key is misspelt, and ignores columns of others", async () => {
  const line = (more: object) => JSON.stringify({ bucket: "in", key: "a", ...more });
  const lines = [
    { version_id: "v1" },
    { version: "v1" },
    { destination_key: "b" },
    { isLatest: true, tag: "t", verionId: null },
    { versionId: "v1", version: 7 },
  ];
  const entries = await entriesOf(lines.map((more) => `${line(more)}\n`).join(""), "ndjson");
  expect(entries.map(({ refusal }) => /did you mean (\w+)/.exec(refusal?.message ?? "")?.[1])).toEqual([
    "versionId",
    "versionId",
    "destinationKey",
    undefined,
    undefined,
  ]);
});

test("knows gzip by its first two bytes, however few come at once", async () => {
  const bytes = gzipSync("in,a\n");
  const pieces = Readable.from([bytes.subarray(0, 1), bytes.subarray(1)], { objectMode: false });
  const options = { cursor: { offset: 0, line: 0 }, size: 10, format: "csv" } as const;
  const texts: (string | undefined)[] = [];
  for await (const { lines } of readManifestLines(pieces, options)) texts.push(...lines.map(({ text }) => text));
  expect(texts).toEqual(["in,a"]);
});
