import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { assert, asyncProperty, string } from "fast-check";
import { expect } from "vitest";
import { raw, test } from "../fixtures.ts";

const ODD = [
  "a b",
  "a+b",
  "100%",
  "%41",
  "a&b<c>'\"",
  "//",
  "/lead",
  "trail/",
  "a//b",
  "é漢😀",
  "n\nl",
  "c\r\nr",
  "\t",
  "~!*'()",
  "a?b#c",
  "k".repeat(1024),
  "é".repeat(512),
  "=&=",
  "\u0001",
  "\u{10FFFF}",
  "a;b,c:d@e$f",
];

test("odd keys survive put, list, copy, get and both deletes through the SDK", async ({ sandbox, s3 }) => {
  for (const Key of ODD) await s3.send(new PutObjectCommand({ Bucket: "docs", Key, Body: Key }));
  expect(new Set(sandbox.keys("docs"))).toEqual(new Set(ODD));
  const listed = await s3.send(new ListObjectsV2Command({ Bucket: "docs", EncodingType: "url" }));
  const keys = (listed.Contents ?? []).map((one) => decodeURIComponent((one.Key ?? "").replaceAll("+", " ")));
  expect(keys).toEqual(sandbox.keys("docs"));
  sandbox.createBucket("copies");
  for (const Key of keys) {
    const CopySource = `docs/${Key.split("/").map(encodeURIComponent).join("/")}`;
    await s3.send(new CopyObjectCommand({ Bucket: "copies", Key, CopySource }));
    const got = await s3.send(new GetObjectCommand({ Bucket: "copies", Key }));
    expect(await got.Body?.transformToString()).toBe(Key);
    await s3.send(new DeleteObjectCommand({ Bucket: "docs", Key }));
  }
  expect(sandbox.keys("docs")).toEqual([]);
  const { Deleted, Errors } = await s3.send(
    new DeleteObjectsCommand({ Bucket: "copies", Delete: { Objects: keys.map((Key) => ({ Key })) } }),
  );
  expect([Deleted?.length, Errors, sandbox.keys("copies")]).toEqual([ODD.length, undefined, []]);
});

test("any key comes back byte for byte", async ({ sandbox }) => {
  const key = string({ unit: "grapheme", minLength: 1, maxLength: 60 }).filter((one) => one.isWellFormed());
  await assert(
    asyncProperty(key, async (one) => {
      const path = `/docs/${encodeURIComponent(one).replace(/[!'()*]/g, (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`)}`;
      await raw(sandbox, { method: "PUT", path: path.replaceAll("%2F", "/"), body: "x" });
      expect(sandbox.keys("docs")).toEqual([one]);
      sandbox.delete("docs", one);
    }),
    { numRuns: 200 },
  );
});

test("does not resolve dots or join slashes in paths", async ({ sandbox }) => {
  for (const key of ["a/../b", "./a", "..", "a/./b", "../docs/a", "a//../b"]) {
    await raw(sandbox, { method: "PUT", path: `/docs/${key}`, body: key });
    expect(sandbox.text("docs", key)).toBe(key);
  }
});

test("refuses paths that are no UTF-8", async ({ sandbox }) => {
  const answer = await raw(sandbox, { path: "/docs/%ff%fe" });
  expect([answer.status, /<Code>(\w+)/.exec(answer.text)?.[1]]).toEqual([400, "InvalidURI"]);
});
