import { hash } from "node:crypto";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { describe, expect } from "vitest";
import { expectRefusal, raw, test } from "../fixtures.ts";

const at = (Key: string) => ({ Bucket: "docs", Key });

describe("a store without DeleteObjects", () => {
  const request = new DeleteObjectsCommand({ Bucket: "docs", Delete: { Objects: [{ Key: "a" }] } });

  test.for([
    ["NotImplemented", 501],
    ["MethodNotAllowed", 405],
    ["MissingContentMD5", 400],
  ] as const)("answers %s and deletes nothing", async ([deleteObjects, status], { sandbox, s3 }) => {
    sandbox.put("docs", "a", "x");
    sandbox.setQuirks({ deleteObjects });
    await expectRefusal(s3.send(request), deleteObjects, status);
    expect(sandbox.keys("docs")).toEqual(["a"]);
  });

  test("deletes with Content-MD5 where that was missing", async ({ sandbox }) => {
    sandbox.put("docs", "a", "x");
    sandbox.setQuirks({ deleteObjects: "MissingContentMD5" });
    const body = "<Delete><Object><Key>a</Key></Object></Delete>";
    const md5 = hash("md5", body, "base64");
    const answer = await raw(sandbox, { method: "POST", path: "/docs?delete", body, headers: { "content-md5": md5 } });
    expect(answer.status).toBe(200);
    expect(sandbox.keys("docs")).toEqual([]);
  });
});

test("a store may demand Content-MD5 where a checksum is not enough", async ({ sandbox, s3 }) => {
  sandbox.setQuirks({ contentMd5Required: true });
  await expectRefusal(s3.send(new PutObjectCommand({ ...at("a"), Body: "x" })), "MissingContentMD5", 400);
  const md5 = hash("md5", "x", "base64");
  await s3.send(new PutObjectCommand({ ...at("b"), Body: "x", ContentMD5: md5 }));
  expect(sandbox.keys("docs")).toEqual(["b"]);
});

test("HEAD may come without an ETag, while GET and listings have it", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "a", "x");
  sandbox.setQuirks({ noHeadEtags: true });
  const head = await s3.send(new HeadObjectCommand(at("a")));
  expect([head.ETag, head.ContentLength]).toEqual([undefined, 1]);
  expect((await s3.send(new GetObjectCommand(at("a")))).ETag).toBeDefined();
});

test("all objects may have one ETag", async ({ sandbox, s3 }) => {
  sandbox.setQuirks({ constantEtags: true });
  sandbox.put("docs", "a", "1");
  await s3.send(new PutObjectCommand({ ...at("b"), Body: "22" }));
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: "docs" }));
  expect(new Set(Contents?.map((object) => object.ETag))).toEqual(new Set([`"${"0".repeat(32)}"`]));
});

test("versionId may be ignored, so that a delete of an old version takes the newest", async ({ sandbox, s3 }) => {
  sandbox.createBucket("versioned", { versioning: true });
  const { versionId: VersionId } = sandbox.put("versioned", "a", "old");
  sandbox.put("versioned", "a", "new");
  sandbox.setQuirks({ ignoredVersionIds: true });
  const old = { Bucket: "versioned", Key: "a", VersionId };
  expect(await (await s3.send(new GetObjectCommand(old))).Body?.transformToString()).toBe("new");
  await s3.send(new CopyObjectCommand({ ...at("copy"), CopySource: `versioned/a?versionId=${VersionId}` }));
  expect(sandbox.text("docs", "copy")).toBe("new");
  await s3.send(new DeleteObjectCommand(old));
  expect(sandbox.object("versioned", "a")).toBeUndefined();
});

test("Range may be ignored", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "a", "0123456789");
  sandbox.setQuirks({ ignoredRanges: true });
  const whole = await s3.send(new GetObjectCommand({ ...at("a"), Range: "bytes=2-3" }));
  expect([whole.$metadata.httpStatusCode, await whole.Body?.transformToString()]).toEqual([200, "0123456789"]);
});

describe("a store that folds keys", () => {
  test.for([
    ["case", "Photo.JPG", "photo.jpg", "Photo.JPG"],
    ["slashes", "x//y", "x/y", "x/y"],
    ["unicode", "e\u0301", "\u00e9", "\u00e9"],
  ] as const)("shows one object under two names (%s)", async ([folding, one, other, kept], { sandbox, s3 }) => {
    sandbox.setQuirks({ foldedKeys: [folding] });
    await s3.send(new PutObjectCommand({ ...at(one), Body: "x" }));
    const heads = await Promise.all([one, other].map((key) => s3.send(new HeadObjectCommand(at(key)))));
    expect(heads[0]!.LastModified).toEqual(heads[1]!.LastModified);
    expect(sandbox.keys("docs")).toEqual([kept]);
    // A "move" from one name to the other loses the object.
    await s3.send(new CopyObjectCommand({ ...at(other), CopySource: `docs/${encodeURIComponent(one)}` }));
    await s3.send(new DeleteObjectCommand(at(one)));
    expect(sandbox.keys("docs")).toEqual([]);
    await s3.send(new PutObjectCommand({ ...at(other), Body: "y" }));
    expect(sandbox.text("docs", one)).toBe("y");
  });

  test("keeps names apart that are different", async ({ sandbox }) => {
    sandbox.put("docs", "A", "1");
    sandbox.setQuirks({ foldedKeys: ["case"] });
    sandbox.put("docs", "a", "2");
    sandbox.put("docs", "b", "3");
    expect(sandbox.keys("docs")).toEqual(["A", "b"]);
  });
});

test("tags may be dropped when headers are replaced on a copy", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "a", "x", { tags: { k: "v" } });
  sandbox.setQuirks({ tagsDroppedOnReplace: true });
  const copy = { Bucket: "docs", CopySource: "docs/a" };
  await s3.send(new CopyObjectCommand({ ...copy, Key: "b", MetadataDirective: "REPLACE", TaggingDirective: "COPY" }));
  await s3.send(new CopyObjectCommand({ ...copy, Key: "c" }));
  expect([sandbox.object("docs", "b")?.tags, sandbox.object("docs", "c")?.tags]).toEqual([{}, { k: "v" }]);
});

test("a proxy may answer 404 in the store's place, by quirk or by fault", async ({ sandbox }) => {
  sandbox.setQuirks({ proxyNotFound: true });
  const missing = await raw(sandbox, { path: "/docs/missing" });
  expect([missing.status, missing.headers["x-amz-request-id"], missing.headers["content-type"]]).toEqual([
    404,
    undefined,
    "text/html",
  ]);
  sandbox.setQuirks({});
  expect((await raw(sandbox, { path: "/docs/missing" })).headers["x-amz-request-id"]).toBeDefined();
  sandbox.put("docs", "a", "x");
  sandbox.fault({ kind: "proxy-page", operation: "HeadObject", times: 1, status: 404 });
  const head = await raw(sandbox, { method: "HEAD", path: "/docs/a" });
  expect([head.status, head.headers["x-amz-request-id"]]).toEqual([404, undefined]);
  expect((await raw(sandbox, { method: "HEAD", path: "/docs/a" })).status).toBe(200);
});

test("a bucket with suspended versioning overwrites the null version and keeps the others", async ({ sandbox, s3 }) => {
  sandbox.createBucket("paused", { versioning: "suspended" });
  const where = { Bucket: "paused", Key: "a" };
  for (const Body of ["1", "2"])
    expect((await s3.send(new PutObjectCommand({ ...where, Body }))).VersionId).toBe("null");
  expect(sandbox.versions("paused", "a")).toHaveLength(1);
  await s3.send(new DeleteObjectCommand(where));
  expect(sandbox.versions("paused", "a").map((one) => [one.versionId, one.deleteMarker])).toEqual([["null", true]]);
});
