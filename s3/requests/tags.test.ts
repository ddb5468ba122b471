import { expect, test } from "vitest";
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
