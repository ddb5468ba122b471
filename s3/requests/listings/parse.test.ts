import { expect, test } from "vitest";
import { call, openOddStore, openS3 } from "../../../test/open-s3.ts";
import { parseListing } from "./parse.ts";

const entry =
  "<Contents><Key>a%2Fb</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;abc-1&quot;</ETag><Size>7</Size><StorageClass>STANDARD</StorageClass></Contents>";
const head =
  "<Name>in</Name><Prefix/><KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>";
const listing = (inner: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</ListBucketResult>`;

const found = {
  Key: "a%2Fb",
  LastModified: "2026-01-01T00:00:00.000Z",
  ETag: '"abc-1"',
  Size: 7,
  StorageClass: "STANDARD",
};

test.each([
  ["as AWS sends it", listing(head + entry)],
  ["on lines of its own", listing(`\n  ${head}\n  ${entry.replaceAll("><", ">\n    <")}\n`)],
  ["with an owner", listing(head + entry.replace("</Size>", "</Size><Owner><ID>x</ID><DisplayName/></Owner>"))],
  [
    "with the state of a restore",
    listing(
      head +
        entry.replace(
          "</Size>",
          "</Size><RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress></RestoreStatus>",
        ),
    ),
  ],
  [
    "with algorithms of checksums",
    listing(
      head +
        entry.replace(
          "</Size>",
          "</Size><ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumAlgorithm>SHA1</ChecksumAlgorithm>",
        ),
    ),
  ],
  ["with an ETag that has no quotes", listing(head + entry.replaceAll("&quot;", '"'))],
])("reads a listing %s", (_, body) => {
  expect(parseListing(body)).toMatchObject({ Name: "in", IsTruncated: false, EncodingType: "url", Contents: [found] });
});

test("reads common prefixes and the token of the next page", () => {
  const more = head
    .replace("false", "true")
    .replace("<Prefix/>", "<NextContinuationToken>t/+=</NextContinuationToken>");
  expect(parseListing(listing(`${more}<CommonPrefixes><Prefix>a%2F</Prefix></CommonPrefixes>${entry}`))).toMatchObject({
    IsTruncated: true,
    NextContinuationToken: "t/+=",
    CommonPrefixes: [{ Prefix: "a%2F" }],
    Contents: [found],
  });
});

test.each([
  ["nothing", ""],
  ["an error", "<Error><Code>InternalError</Code></Error>"],
  ["an error in it", listing(`${head}<Error><Code>InternalError</Code></Error>`)],
  ["an error after it", `${listing(head)}<Error/>`],
  ["a web page", "<!DOCTYPE html><html><body>ListBucketResult</body></html>"],
  ["another root", listing(head).replaceAll("ListBucketResult", "ListVersionsResult")],
  ["half of it", listing(head + entry).slice(0, -30)],
  ["an end in the middle of an entry", listing(head + entry.replace("</Contents>", ""))],
  ["no word on whether there is more", listing(head.replace("<IsTruncated>false</IsTruncated>", "") + entry)],
  ["keys as they are", listing(head.replace("<EncodingType>url</EncodingType>", "") + entry)],
  ["an object without a key", listing(head + entry.replace("<Key>a%2Fb</Key>", ""))],
  ["an object without a size", listing(head + entry.replace("<Size>7</Size>", ""))],
  ["an object without an ETag", listing(head + entry.replace(/<ETag>.*<\/ETag>/, ""))],
  ["an object with two keys", listing(head + entry.replace("<Size>", "<Key>c</Key><Size>"))],
  ["a size that is none", listing(head + entry.replace(">7<", ">-7<"))],
  ["a size that no number holds", listing(head + entry.replace(">7<", ">99999999999999999999<"))],
  ["a date that is none", listing(head + entry.replace("2026-01-01", "2026-13-01"))],
  ["a date in another form", listing(head + entry.replace(".000Z", "Z"))],
  ["an entity", listing(head + entry.replace("a%2Fb", "a&amp;b"))],
  ["a comment", listing(`${head}<!-- -->${entry}`)],
  ["character data", listing(head + entry.replace("a%2Fb", "<![CDATA[a]]>"))],
  ["an attribute", listing(head + entry.replace("<Key>", '<Key a="b">'))],
  ["the name twice", listing(`${head}<Name>other</Name>${entry}`)],
])("leaves %s to the SDK", (_, body) => {
  expect(parseListing(body)).toBeUndefined();
});

test("never takes the beginning of a listing for the whole", () => {
  const body = listing(head + entry + entry.replace("a%2Fb", "c"));
  for (let length = 0; length < body.length; length += 1) expect(parseListing(body.slice(0, length))).toBeUndefined();
});

test("reads what the SDK reads, page by page", async () => {
  const { sandbox, s3, connect, events } = await openS3();
  for (const key of ["a b", "a+b", "x\r\ny", "ü/é", "<&>'\"", "\u{1F600}", "p/1", "p/2"]) sandbox.put("in", key, key);
  const sdk = connect({}, { fastPath: false });
  for (const request of [{}, { maxKeys: 3 }, { delimiter: "/" }, { prefix: "none" }, { startAfter: "a+b" }]) {
    events.length = 0;
    const page = await s3.listPage({ bucket: "in", ...request }, call);
    expect(page).toEqual(await sdk.listPage({ bucket: "in", ...request }, call));
    expect(events).toMatchObject([
      { operation: "ListObjectsV2", path: "fast", status: 200 },
      { operation: "ListObjectsV2", path: "sdk" },
    ]);
  }
});

test("asks the SDK where an answer is no plain listing", async () => {
  const agents: string[] = [];
  const s3 = await openOddStore((request, response) => {
    agents.push(request.headers["user-agent"] ?? "none");
    response.end(listing(`<!-- odd -->${head}${entry}`));
  });
  expect((await s3.listPage({ bucket: "in" }, call)).objects).toMatchObject([{ key: "a/b", size: 7, etag: "abc-1" }]);
  expect(agents).toEqual(["none", expect.stringContaining("aws-sdk-js")]);
});
