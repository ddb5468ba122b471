import { hash } from "node:crypto";
import { GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "vitest";
import { expectRefusal, raw, test } from "../../fixtures.ts";

test("gives content and facts of an object", async ({ sandbox, s3 }) => {
  const { etag } = sandbox.put("docs", "a.txt", "hello", {
    contentType: "text/plain",
    metadata: { owner: "ann" },
    headers: { "cache-control": "no-cache" },
    tags: { a: "1", b: "2" },
    storageClass: "STANDARD_IA",
  });
  const got = await s3.send(new GetObjectCommand({ Bucket: "docs", Key: "a.txt" }));
  expect(await got.Body?.transformToString()).toBe("hello");
  const head = await s3.send(new HeadObjectCommand({ Bucket: "docs", Key: "a.txt" }));
  expect(head).toMatchObject({
    ETag: `"${etag}"`,
    ContentLength: 5,
    ContentType: "text/plain",
    CacheControl: "no-cache",
    Metadata: { owner: "ann" },
    TagCount: 2,
    StorageClass: "STANDARD_IA",
    ServerSideEncryption: "AES256",
  });
});

test("carries S3's request ids and an error body in S3's shape", async ({ sandbox }) => {
  const answer = await raw(sandbox, { path: "/docs/missing" });
  expect(answer.status).toBe(404);
  expect(answer.headers["x-amz-request-id"]).toMatch(/^[0-9A-F]{16}$/);
  expect(answer.headers["x-amz-id-2"]).toBeTruthy();
  expect(answer.text).toContain(
    "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>missing</Key>",
  );
  expect(answer.text).toContain(`<RequestId>${String(answer.headers["x-amz-request-id"])}</RequestId>`);
  expect((await raw(sandbox, { path: "/nowhere/a" })).text).toContain("<Code>NoSuchBucket</Code>");
});

test("serves single ranges and refuses unsatisfiable ones", async ({ sandbox }) => {
  sandbox.put("docs", "a", "0123456789");
  const get = async (range: string) => {
    const { status, text, headers } = await raw(sandbox, { path: "/docs/a", headers: { range } });
    return [status, status === 416 ? "" : text, headers["content-range"]];
  };
  expect(await get("bytes=2-4")).toEqual([206, "234", "bytes 2-4/10"]);
  expect(await get("bytes=7-")).toEqual([206, "789", "bytes 7-9/10"]);
  expect(await get("bytes=-3")).toEqual([206, "789", "bytes 7-9/10"]);
  expect(await get("bytes=5-99")).toEqual([206, "56789", "bytes 5-9/10"]);
  expect(await get("bytes=10-")).toEqual([416, "", "bytes */10"]);
  expect(await get("bytes=-0")).toEqual([416, "", "bytes */10"]);
  expect(await get("bytes=0-1,3-4")).toEqual([200, "0123456789", undefined]);
  expect(await get("bytes=5-2")).toEqual([200, "0123456789", undefined]);
});

test("holds reads to their conditions", async ({ sandbox, s3 }) => {
  const lastModified = new Date("2026-01-02T03:04:05Z");
  const { etag } = sandbox.put("docs", "a", "x", { lastModified });
  const before = new Date(lastModified.getTime() - 1000);
  const get = (more: object) => s3.send(new GetObjectCommand({ Bucket: "docs", Key: "a", ...more }));
  await get({ IfMatch: `"${etag}"` });
  await get({ IfMatch: "*" });
  await expectRefusal(get({ IfMatch: '"other"' }), "PreconditionFailed", 412);
  await expectRefusal(get({ IfUnmodifiedSince: before }), "PreconditionFailed", 412);
  await get({ IfUnmodifiedSince: lastModified });
  // A matching ETag outranks the date: RFC 9110, 13.2.2.
  await get({ IfMatch: etag, IfUnmodifiedSince: before });
  const notModified = await raw(sandbox, {
    path: "/docs/a",
    headers: { "if-modified-since": lastModified.toUTCString() },
  });
  expect([notModified.status, notModified.text, notModified.headers["etag"]]).toEqual([304, "", `"${etag}"`]);
  const unchanged = await raw(sandbox, { method: "HEAD", path: "/docs/a", headers: { "if-none-match": `"${etag}"` } });
  expect(unchanged.status).toBe(304);
});

test("overrides response headers as the query asks", async ({ s3, sandbox }) => {
  sandbox.put("docs", "a", "x", { contentType: "text/plain" });
  const got = await s3.send(
    new GetObjectCommand({
      Bucket: "docs",
      Key: "a",
      ResponseContentType: "image/png",
      ResponseContentDisposition: 'attachment; filename="a b"',
    }),
  );
  expect([got.ContentType, got.ContentDisposition]).toEqual(["image/png", 'attachment; filename="a b"']);
});

test("gives every object a checksum on request, which the SDK verifies", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "a", "123456789");
  const got = await s3.send(new GetObjectCommand({ Bucket: "docs", Key: "a", ChecksumMode: "ENABLED" }));
  // The check value of CRC-64/NVME.
  expect(Buffer.from(got.ChecksumCRC64NVME ?? "", "base64").toString("hex")).toBe("ae8b14860a799888");
  expect(await got.Body?.transformToString()).toBe("123456789");
  const head = await raw(sandbox, { method: "HEAD", path: "/docs/a" });
  expect(head.headers["x-amz-checksum-crc64nvme"]).toBeUndefined();
});

test("refuses archived objects", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "cold", "x", { storageClass: "DEEP_ARCHIVE" });
  await expectRefusal(s3.send(new GetObjectCommand({ Bucket: "docs", Key: "cold" })), "InvalidObjectState", 403);
  expect((await s3.send(new HeadObjectCommand({ Bucket: "docs", Key: "cold" }))).StorageClass).toBe("DEEP_ARCHIVE");
});

test("reads versions by id, and answers for delete markers as S3 does", async ({ sandbox, s3 }) => {
  sandbox.createBucket("versioned", { versioning: true });
  const old = sandbox.put("versioned", "a", "old");
  sandbox.put("versioned", "a", "new");
  sandbox.delete("versioned", "a");
  const [marker] = sandbox.versions("versioned", "a");
  const got = await s3.send(new GetObjectCommand({ Bucket: "versioned", Key: "a", VersionId: old.versionId }));
  expect([await got.Body?.transformToString(), got.VersionId]).toEqual(["old", old.versionId]);
  const gone = await raw(sandbox, { path: "/versioned/a" });
  expect([gone.status, gone.headers["x-amz-delete-marker"], gone.headers["x-amz-version-id"]]).toEqual([
    404,
    "true",
    marker?.versionId,
  ]);
  const markerItself = await raw(sandbox, { path: `/versioned/a?versionId=${marker?.versionId}` });
  expect([markerItself.status, markerItself.headers["allow"]]).toEqual([405, "DELETE"]);
  await expectRefusal(
    s3.send(new GetObjectCommand({ Bucket: "versioned", Key: "a", VersionId: "unknown" })),
    "NoSuchVersion",
    404,
  );
});

/** The headers of a customer's key. */
function customerKey(letter: string, md5 = hash("md5", letter.repeat(32), "base64")) {
  return {
    "x-amz-server-side-encryption-customer-algorithm": "AES256",
    "x-amz-server-side-encryption-customer-key": Buffer.from(letter.repeat(32)).toString("base64"),
    "x-amz-server-side-encryption-customer-key-md5": md5,
  };
}

test("wants the customer's key for objects encrypted with it, and checks its MD5", async ({ sandbox }) => {
  const put = await raw(sandbox, { method: "PUT", path: "/docs/locked", body: "x", headers: customerKey("a") });
  expect(put.status).toBe(200);
  expect((await raw(sandbox, { path: "/docs/locked" })).text).toContain("<Code>InvalidRequest</Code>");
  expect((await raw(sandbox, { path: "/docs/locked", headers: customerKey("b") })).status).toBe(403);
  expect((await raw(sandbox, { path: "/docs/locked", headers: customerKey("a") })).text).toBe("x");
  const wrongMd5 = await raw(sandbox, { path: "/docs/locked", headers: customerKey("a", hash("md5", "b", "base64")) });
  expect(wrongMd5.text).toContain("<Code>InvalidArgument</Code>");
  const rest = Object.fromEntries(Object.entries(customerKey("a")).filter(([name]) => !name.endsWith("algorithm")));
  expect((await raw(sandbox, { method: "PUT", path: "/docs/b", body: "x", headers: rest })).status).toBe(400);
  const both = { ...customerKey("a"), "x-amz-server-side-encryption": "AES256" };
  expect((await raw(sandbox, { method: "PUT", path: "/docs/b", body: "x", headers: both })).status).toBe(400);
  expect(sandbox.keys("docs")).toEqual(["locked"]);
});

test("refuses a read that names an encryption", async ({ sandbox }) => {
  sandbox.put("docs", "a", "x");
  const headers = { "x-amz-server-side-encryption": "aws:kms" };
  expect((await raw(sandbox, { method: "HEAD", path: "/docs/a", headers })).status).toBe(400);
});

test("HEAD of something absent is a bare 404", async ({ sandbox, s3 }) => {
  await expectRefusal(s3.send(new HeadObjectCommand({ Bucket: "docs", Key: "missing" })), "NotFound", 404);
  expect((await raw(sandbox, { method: "HEAD", path: "/docs/missing" })).text).toBe("");
});
