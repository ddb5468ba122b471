import { CopyObjectCommand, type CopyObjectCommandInput } from "@aws-sdk/client-s3";
import { expect } from "vitest";
import { expectRefusal, raw, test } from "../../fixtures.ts";
import { GIB } from "../../options.ts";
import { startSandbox } from "../../start.ts";

const copy = (more: Partial<CopyObjectCommandInput>) =>
  new CopyObjectCommand({ Bucket: "docs", Key: "b", CopySource: "docs/a", ...more });

test("carries metadata and tags, but neither storage class nor encryption", async ({ sandbox, s3 }) => {
  const { etag } = sandbox.put("docs", "a", "hello", {
    contentType: "text/plain",
    metadata: { owner: "ann" },
    tags: { a: "1" },
    storageClass: "STANDARD_IA",
    encryption: { algorithm: "aws:kms", kmsKeyId: "key-1" },
  });
  const { CopyObjectResult } = await s3.send(copy({}));
  const copied = sandbox.object("docs", "b");
  expect(CopyObjectResult?.ETag).toBe(`"${copied?.etag}"`);
  expect(copied).toMatchObject({
    contentType: "text/plain",
    metadata: { owner: "ann" },
    tags: { a: "1" },
    storageClass: "STANDARD",
    encryption: { algorithm: "AES256" },
  });
  // The source's ETag was an MD5 here only because the test stored it so.
  expect(copied?.etag).toBe(etag);
});

test("replaces metadata and tags when told", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "a", "x", { metadata: { old: "1" }, tags: { old: "1" }, contentType: "text/plain" });
  await s3.send(
    copy({
      MetadataDirective: "REPLACE",
      Metadata: { new: "2" },
      ContentType: "image/png",
      TaggingDirective: "REPLACE",
      Tagging: "new=2",
    }),
  );
  expect(sandbox.object("docs", "b")).toMatchObject({
    metadata: { new: "2" },
    tags: { new: "2" },
    contentType: "image/png",
  });
});

test("holds the copy to its conditions on the source", async ({ sandbox, s3 }) => {
  const lastModified = new Date("2026-01-02T03:04:05Z");
  const { etag } = sandbox.put("docs", "a", "x", { lastModified });
  const before = new Date(lastModified.getTime() - 1000);
  await s3.send(copy({ CopySourceIfMatch: `"${etag}"` }));
  await expectRefusal(s3.send(copy({ CopySourceIfMatch: '"other"' })), "PreconditionFailed", 412);
  await expectRefusal(s3.send(copy({ CopySourceIfNoneMatch: `"${etag}"` })), "PreconditionFailed", 412);
  await expectRefusal(s3.send(copy({ CopySourceIfUnmodifiedSince: before })), "PreconditionFailed", 412);
  await expectRefusal(s3.send(copy({ CopySourceIfModifiedSince: lastModified })), "PreconditionFailed", 412);
});

test("holds the copy to its conditions on the destination", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "a", "x");
  await s3.send(copy({ IfNoneMatch: "*" }));
  await expectRefusal(s3.send(copy({ IfNoneMatch: "*" })), "PreconditionFailed", 412);
  await expectRefusal(s3.send(copy({ IfMatch: '"other"' })), "PreconditionFailed", 412);
  await expectRefusal(s3.send(copy({ Key: "c", IfMatch: '"other"' })), "NoSuchKey", 404);
});

test("ignores both kinds of conditions where told to", async () => {
  await using careless = await startSandbox({ enforceConditions: { copy: false, copySource: false } });
  careless.createBucket("docs");
  careless.put("docs", "a", "x");
  careless.put("docs", "b", "old");
  const answer = await raw(careless, {
    method: "PUT",
    path: "/docs/b",
    headers: { "x-amz-copy-source": "docs/a", "x-amz-copy-source-if-match": '"other"', "if-none-match": "*" },
  });
  expect([answer.status, careless.text("docs", "b")]).toEqual([200, "x"]);
});

test("refuses copies onto themselves that change nothing", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "a", "x", { metadata: { old: "1" } });
  await expectRefusal(s3.send(copy({ Key: "a" })), "InvalidRequest", 400);
  await s3.send(copy({ Key: "a", MetadataDirective: "REPLACE", Metadata: { new: "1" } }));
  await s3.send(copy({ Key: "a", StorageClass: "STANDARD_IA" }));
  expect(sandbox.object("docs", "a")).toMatchObject({ metadata: { new: "1" }, storageClass: "STANDARD_IA" });
});

test("reads the source as URL-encoded, with an optional version", async ({ sandbox, s3 }) => {
  sandbox.createBucket("versioned", { versioning: true });
  const old = sandbox.put("versioned", "a b+c%?é", "old");
  sandbox.put("versioned", "a b+c%?é", "new");
  const encoded = `versioned/${encodeURIComponent("a b+c%?é")}`;
  const current = await s3.send(copy({ CopySource: encoded }));
  expect(sandbox.text("docs", "b")).toBe("new");
  expect(current.CopySourceVersionId).toBe(sandbox.object("versioned", "a b+c%?é")?.versionId);
  await s3.send(copy({ CopySource: `/${encoded}?versionId=${old.versionId}` }));
  expect(sandbox.text("docs", "b")).toBe("old");
  await expectRefusal(s3.send(copy({ CopySource: encoded.replace("%2B", "+") })), "NoSuchKey", 404);
  await expectRefusal(s3.send(copy({ CopySource: `${encoded}?versionId=nope` })), "NoSuchVersion", 404);
  await expectRefusal(s3.send(copy({ CopySource: "versioned" })), "InvalidArgument", 400);
});

test("refuses sources that are absent, archived or too large", async ({ sandbox, s3 }) => {
  await expectRefusal(s3.send(copy({})), "NoSuchKey", 404);
  await expectRefusal(s3.send(copy({ CopySource: "nowhere/a" })), "NoSuchBucket", 404);
  sandbox.put("docs", "a", "x", { storageClass: "GLACIER" });
  await expectRefusal(s3.send(copy({})), "InvalidObjectState", 403);
  sandbox.generate("docs", { count: 2, prefix: "big/", size: (i) => 5 * GIB + i });
  await s3.send(copy({ CopySource: "docs/big/000000000.bin" }));
  await expectRefusal(s3.send(copy({ CopySource: "docs/big/000000001.bin" })), "InvalidRequest", 400);
});

test("refuses sources of other owners than expected", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "a", "x");
  await expectRefusal(s3.send(copy({ ExpectedSourceBucketOwner: "999999999999" })), "AccessDenied", 403);
  sandbox.createBucket("foreign", { account: "999999999999" });
  sandbox.put("foreign", "a", "x");
  await expectRefusal(s3.send(copy({ CopySource: "foreign/a" })), "AccessDenied", 403);
});

test("gives the copy of a multipart object a single-part ETag", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "a", "hello", { etag: "0123456789abcdef0123456789abcdef-2" });
  const { CopyObjectResult } = await s3.send(copy({}));
  expect(CopyObjectResult?.ETag).toBe('"5d41402abc4b2a76b9719d911017c592"');
});

test("sends ETags without quotes where told to", async () => {
  await using ceph = await startSandbox({ quirks: { unquotedCopyEtags: true } });
  ceph.createBucket("docs");
  ceph.put("docs", "a", "hello");
  const answer = await raw(ceph, { method: "PUT", path: "/docs/b", headers: { "x-amz-copy-source": "docs/a" } });
  expect(answer.text).toContain("<ETag>5d41402abc4b2a76b9719d911017c592</ETag>");
});

test("a copy does not carry the website redirect over, and takes one that it is given", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "a", "x", { headers: { "x-amz-website-redirect-location": "/b", "cache-control": "no-store" } });
  const copyTo = (Key: string, more: object) =>
    s3.send(new CopyObjectCommand({ Bucket: "docs", CopySource: "docs/a", Key, ...more }));
  await copyTo("plain", {});
  await copyTo("again", { WebsiteRedirectLocation: "/c" });
  const redirect = (key: string) => sandbox.object("docs", key)?.headers["x-amz-website-redirect-location"];
  expect([redirect("a"), redirect("plain"), redirect("again")]).toEqual(["/b", undefined, "/c"]);
  expect(sandbox.object("docs", "plain")?.headers["cache-control"]).toBe("no-store");
});
