import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { PutObjectCommand, type ChecksumAlgorithm } from "@aws-sdk/client-s3";
import { expect } from "vitest";
import { MIB } from "../../options.ts";
import { connect, expectRefusal, raw, test } from "../../fixtures.ts";

const code = (text: string) => /<Code>(\w+)/.exec(text)?.[1];

test("stores content with headers, metadata, tags, class and encryption", async ({ sandbox, s3 }) => {
  const put = await s3.send(
    new PutObjectCommand({
      Bucket: "docs",
      Key: "a",
      Body: "hello",
      ContentType: "text/plain",
      ContentEncoding: "gzip",
      CacheControl: "max-age=1",
      Metadata: { Owner: "ann" },
      Tagging: "a=1&b=x%20y",
      StorageClass: "STANDARD_IA",
    }),
  );
  expect(put.ETag).toBe('"5d41402abc4b2a76b9719d911017c592"');
  expect(sandbox.text("docs", "a")).toBe("hello");
  expect(sandbox.object("docs", "a")).toMatchObject({
    contentType: "text/plain",
    headers: { "content-encoding": "gzip", "cache-control": "max-age=1" },
    metadata: { owner: "ann" },
    tags: { a: "1", b: "x y" },
    storageClass: "STANDARD_IA",
    encryption: { algorithm: "AES256" },
  });
});

test("verifies every checksum algorithm of the SDK", async ({ sandbox, s3 }) => {
  for (const algorithm of ["CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME"] satisfies ChecksumAlgorithm[]) {
    await s3.send(
      new PutObjectCommand({ Bucket: "docs", Key: algorithm, Body: "123456789", ChecksumAlgorithm: algorithm }),
    );
    expect(sandbox.object("docs", algorithm)?.checksum?.algorithm).toBe(algorithm);
  }
  // The check values of CRC-32, CRC-32C and CRC-64/NVME.
  const value = (key: string) =>
    Buffer.from(sandbox.object("docs", key)?.checksum?.value ?? "", "base64").toString("hex");
  expect([value("CRC32"), value("CRC32C"), value("CRC64NVME")]).toEqual(["cbf43926", "e3069283", "ae8b14860a799888"]);
});

test("refuses a body that differs from any digest that came with it", async ({ sandbox }) => {
  const put = (headers: Record<string, string>) =>
    raw(sandbox, { method: "PUT", path: "/docs/a", body: "hello", headers });
  expect(code((await put({ "content-md5": createHash("md5").update("other").digest("base64") })).text)).toBe(
    "BadDigest",
  );
  expect(code((await put({ "content-md5": "short" })).text)).toBe("InvalidDigest");
  expect(code((await put({ "x-amz-checksum-crc32": "AAAAAA==" })).text)).toBe("BadDigest");
  expect(code((await put({ "x-amz-checksum-crc32": "AA==" })).text)).toBe("InvalidRequest");
  const sha = createHash("sha256").update("other").digest("hex");
  expect(code((await put({ "x-amz-content-sha256": sha })).text)).toBe("XAmzContentSHA256Mismatch");
  expect(sandbox.keys("docs")).toEqual([]);
});

test("takes streamed uploads with a checksum trailer", async ({ sandbox, s3 }) => {
  const file = new URL(import.meta.url);
  const size = (await import("node:fs")).statSync(file).size;
  await s3.send(
    new PutObjectCommand({ Bucket: "docs", Key: "stream", Body: createReadStream(file), ContentLength: size }),
  );
  const [entry] = sandbox.log;
  expect(entry?.headers["x-amz-content-sha256"]).toBe("STREAMING-UNSIGNED-PAYLOAD-TRAILER");
  expect(sandbox.bytes("docs", "stream")?.length).toBe(size);
  expect(sandbox.object("docs", "stream")?.headers["content-encoding"]).toBeUndefined();
});

test("refuses a chunked body whose trailer is wrong or whose end is missing", async ({ sandbox }) => {
  const put = (body: string) =>
    raw(sandbox, {
      method: "PUT",
      path: "/docs/a",
      body,
      headers: {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": "9",
        "x-amz-trailer": "x-amz-checksum-crc32",
      },
    });
  const good = await put("4\r\n1234\r\n5\r\n56789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n");
  expect([good.status, sandbox.text("docs", "a")]).toEqual([200, "123456789"]);
  expect(code((await put("9\r\n123456780\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n")).text)).toBe("BadDigest");
  expect(code((await put("9\r\n123456789\r\n")).text)).toBe("IncompleteBody");
  expect(code((await put("8\r\n12345678\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n")).text)).toBe("IncompleteBody");
  expect(sandbox.text("docs", "a")).toBe("123456789");
});

test("writes only where the conditions hold", async ({ sandbox, s3 }) => {
  const put = (more: object) => s3.send(new PutObjectCommand({ Bucket: "docs", Key: "a", Body: "x", ...more }));
  await expectRefusal(put({ IfMatch: '"anything"' }), "NoSuchKey", 404);
  await put({ IfNoneMatch: "*" });
  await expectRefusal(put({ IfNoneMatch: "*" }), "PreconditionFailed", 412);
  await expectRefusal(put({ IfNoneMatch: '"etag"' }), "NotImplemented", 501);
  await expectRefusal(put({ IfMatch: '"other"' }), "PreconditionFailed", 412);
  await put({ IfMatch: sandbox.object("docs", "a")?.etag });
});

test("ignores write conditions where told to, as some servers do", async ({ sandbox }) => {
  sandbox.put("docs", "a", "old");
  const { startSandbox } = await import("../../start.ts");
  await using careless = await startSandbox({ enforceConditions: { write: false } });
  careless.createBucket("docs");
  careless.put("docs", "a", "old");
  await connect(careless).send(new PutObjectCommand({ Bucket: "docs", Key: "a", Body: "new", IfNoneMatch: "*" }));
  expect(careless.text("docs", "a")).toBe("new");
});

test("gives KMS-encrypted objects ETags that are no MD5", async ({ sandbox, s3 }) => {
  const put = await s3.send(
    new PutObjectCommand({
      Bucket: "docs",
      Key: "a",
      Body: "hello",
      ServerSideEncryption: "aws:kms",
      SSEKMSKeyId: "key-1",
      BucketKeyEnabled: true,
    }),
  );
  expect(put).toMatchObject({ ServerSideEncryption: "aws:kms", SSEKMSKeyId: "key-1", BucketKeyEnabled: true });
  expect(put.ETag).not.toBe('"5d41402abc4b2a76b9719d911017c592"');
  expect(sandbox.object("docs", "a")?.encryption).toEqual({ algorithm: "aws:kms", kmsKeyId: "key-1", bucketKey: true });
});

test("keeps S3's limits", async ({ sandbox, s3 }) => {
  const put = (more: object) => s3.send(new PutObjectCommand({ Bucket: "docs", Key: "a", Body: "x", ...more }));
  await put({ Key: "é".repeat(512) });
  await expectRefusal(put({ Key: "é".repeat(512) + "x" }), "KeyTooLongError", 400);
  await expectRefusal(put({ Metadata: { big: "x".repeat(2046) } }), "MetadataTooLarge", 400);
  await put({ Metadata: { big: "x".repeat(2045) } });
  await expectRefusal(put({ Tagging: Array.from({ length: 11 }, (_, i) => `k${i}=v`).join("&") }), "BadRequest", 400);
  await expectRefusal(put({ StorageClass: "WARM" }), "InvalidStorageClass", 400);
  const huge = await raw(sandbox, {
    method: "PUT",
    path: "/docs/huge",
    headers: { "content-length": String(5 * 1024 * MIB + 1), expect: "100-continue" },
  });
  expect(code(huge.text)).toBe("EntityTooLarge");
});

test("wants a content length", async ({ sandbox }) => {
  const chunked = await raw(sandbox, {
    method: "PUT",
    path: "/docs/a",
    body: "x",
    headers: { "transfer-encoding": "chunked" },
  });
  expect([chunked.status, code(chunked.text)]).toEqual([501, "NotImplemented"]);
});

test("keeps the older versions of a versioned bucket, and one null version while suspended", async ({
  sandbox,
  s3,
}) => {
  sandbox.createBucket("versioned", { versioning: true });
  const put = (Body: string) => s3.send(new PutObjectCommand({ Bucket: "versioned", Key: "a", Body }));
  const first = await put("1");
  const second = await put("2");
  expect(first.VersionId).not.toBe(second.VersionId);
  expect(sandbox.text("versioned", "a", first.VersionId)).toBe("1");
  await raw(sandbox, {
    method: "PUT",
    path: "/versioned?versioning",
    body: "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>",
  });
  expect((await put("3")).VersionId).toBe("null");
  expect((await put("4")).VersionId).toBe("null");
  expect(sandbox.versions("versioned", "a").map((one) => one.versionId)).toEqual([
    "null",
    second.VersionId,
    first.VersionId,
  ]);
});

test.for([
  ["aws-chunked", undefined],
  ["aws-chunked, aws-chunked", undefined],
  ["aws-chunked,gzip", "gzip"],
  ["deflate, gzip", "deflate, gzip"],
  ["gzip , aws-chunked", "gzip"],
  ["deflate, aws-chunked, gzip", "deflate, gzip"],
])("keeps Content-Encoding %s as %s", async ([given, kept], { sandbox }) => {
  await raw(sandbox, { method: "PUT", path: "/docs/a", body: "x", headers: { "content-encoding": given! } });
  expect(sandbox.object("docs", "a")?.headers["content-encoding"]).toBe(kept);
});
