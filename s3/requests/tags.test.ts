import { PutBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Sandbox } from "../../sandbox/index.ts";
import { call, content, errorOf, openOddStore, openS3 } from "../../test/open-s3.ts";

test("reads tags, and that there are none", async () => {
  const { sandbox, s3 } = await openS3();
  sandbox.put("in", "a", "x", { tags: { t: "a b", ü: "&" } });
  sandbox.put("in", "b", "x");
  expect(await s3.tags({ bucket: "in", key: "a" }, call)).toEqual({ t: "a b", ü: "&" });
  expect(await s3.tags({ bucket: "in", key: "b" }, call)).toEqual({});
});

test.each([
  ["none, where HEAD counts none", undefined, {}],
  ["unproven, where HEAD counts some", "2", { code: "UnprovenResponse" }],
])("an answer without a set of tags is %s", async (_, count, expected) => {
  const s3 = await openOddStore((request, response) => {
    const headers = { etag: '"1"', "last-modified": "Wed, 21 Oct 2026 07:28:00 GMT", "content-length": "5" };
    if (request.method === "HEAD")
      response.writeHead(200, { ...headers, ...(count !== undefined && { "x-amz-tagging-count": count }) });
    response.end(request.method === "HEAD" ? undefined : "<Tagging></Tagging>");
  });
  const read = s3.tags({ bucket: "in", key: "a" }, call);
  expect(count === undefined ? await read : await errorOf(read)).toMatchObject(expected);
});

test("puts tags that a store dropped from a multipart upload or copy back, before it counts as done", async () => {
  const PART = 64 * 1024;
  const { sandbox, s3, pin } = await openS3({
    sandbox: { minPartSize: PART },
    connection: { multipartThreshold: PART },
    s3: { copyPartSize: PART },
  });
  const { bytes, stream } = content(2 * PART);
  // As Ceph's gateway 16 does.
  sandbox.before("CreateMultipartUpload", ({ headers }) => void delete headers["x-amz-tagging"]);
  await s3.put({ bucket: "in", key: "a", size: bytes.length, body: stream(), attributes: { tags: { t: "v" } } }, call);
  expect(sandbox.object("in", "a")?.tags).toEqual({ t: "v" });
  await s3.copy({ source: pin("in", "a"), bucket: "out", key: "a" }, call);
  expect(sandbox.object("out", "a")?.tags).toEqual({ t: "v" });
});

test("does not call an object written whose tags the store does not keep", async () => {
  const { sandbox, s3 } = await openS3();
  sandbox.after("PutObjectTagging", () => void sandbox.put("in", "a", "hello"));
  sandbox.before("PutObject", ({ headers }) => void delete headers["x-amz-tagging"]);
  const { stream, bytes } = content(8);
  const upload = { bucket: "in", key: "a", size: bytes.length, body: stream(), attributes: { tags: { t: "v" } } };
  expect(await errorOf(s3.put(upload, call))).toMatchObject({ code: "VerificationFailed" });
});

/** Forbids everybody to read the tags of a bucket's objects. */
async function hideTags({ endpoint, credentials, region }: Sandbox, bucket: string): Promise<void> {
  const client = new S3Client({ endpoint, credentials, region, forcePathStyle: true });
  onTestFinished(() => client.destroy());
  const Resource = `arn:aws:s3:::${bucket}/*`;
  const Statement = [{ Effect: "Deny", Principal: "*", Action: "s3:GetObjectTagging", Resource }];
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
}

describe("where tags may not be read", () => {
  const PART = 64 * 1024;
  const options = {
    sandbox: { minPartSize: PART, maxCopySize: 4 * PART },
    connection: { multipartThreshold: PART },
    s3: { copyPartSize: PART },
  };

  test("what has none is copied in parts' place at once, and what has some is refused", async () => {
    const { sandbox, s3, pin } = await openS3(options);
    const { bytes } = content(2 * PART);
    sandbox.put("in", "plain", bytes);
    sandbox.put("in", "tagged", bytes, { tags: { t: "v" } });
    await hideTags(sandbox, "in");
    const proof = await s3.copy({ source: pin("in", "plain"), bucket: "out", key: "plain" }, call);
    expect(proof.notCarried).toBeUndefined();
    await s3.copy({ source: pin("in", "plain"), bucket: "out", key: "other", overrides: { contentType: "a/b" } }, call);
    expect(sandbox.object("out", "other")).toMatchObject({ contentType: "a/b", parts: undefined });
    const tagged = s3.copy({ source: pin("in", "tagged"), bucket: "out", key: "tagged" }, call);
    expect(await errorOf(tagged)).toMatchObject({ code: "AccessDenied" });
    const said = { source: pin("in", "tagged"), bucket: "out", key: "tagged", overrides: { tags: {} } };
    await s3.copy(said, call);
    expect(sandbox.keys("out")).toEqual(["other", "plain", "tagged"]);
  });

  test("a copy between stores says what it could not carry, and none that loses its source is made", async () => {
    const there = await openS3();
    const { sandbox, s3, pin } = await openS3(options);
    sandbox.put("in", "tagged", "x", { tags: { t: "v" } });
    await hideTags(sandbox, "in");
    const request = { source: pin("in", "tagged"), bucket: "out", key: "a" };
    expect(await errorOf(there.s3.copyFrom(s3, request, call))).toMatchObject({
      code: "AccessDenied",
      message: expect.stringMatching(/allow s3:GetObjectTagging, or say which tags/) as string,
    });
    const proof = await there.s3.copyFrom(s3, { ...request, unreadTags: "leave" }, call);
    expect(proof.notCarried).toEqual(["tags"]);
    expect(there.sandbox.object("out", "a")?.tags).toEqual({});
  });
});
