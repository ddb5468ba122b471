import { expect } from "vitest";
import { raw, test } from "../fixtures.ts";
import { startSandbox } from "../start.ts";

const code = (text: string) => /<Code>(\w+)/.exec(text)?.[1];

test.for<[string, string]>([
  ["x-amz-if-match-size", "2"],
  ["x-amz-if-match-last-modified-time", "Thu, 01 Jan 2026 00:00:00 GMT"],
  ["x-amz-mfa", "serial 123456"],
])("refuses a delete with %s instead of deleting without it", async ([name, value], { sandbox }) => {
  const asked = { method: "DELETE", path: "/docs/a", headers: { [name]: value } };
  sandbox.put("docs", "a", "x");
  const answer = await raw(sandbox, asked);
  const [status, refusal] = name === "x-amz-mfa" ? [501, "NotImplemented"] : [412, "PreconditionFailed"];
  expect([answer.status, code(answer.text), sandbox.keys("docs")]).toEqual([status, refusal, ["a"]]);
  // As AWS outside of directory buckets.
  await using another = await startSandbox({ enforceConditions: { deleteDates: false }, verifySignatures: false });
  another.createBucket("docs");
  expect((await raw(another, asked)).status).toBe(501);
});

test("takes 8 KB of headers and 2 KB of metadata, and no more", async ({ sandbox }) => {
  const put = (headers: Record<string, string>) => raw(sandbox, { method: "PUT", path: "/docs/a", body: "x", headers });
  expect((await put({ "x-amz-meta-a": "v".repeat(2047) })).status).toBe(200);
  expect(code((await put({ "x-amz-meta-a": "v".repeat(2048) })).text)).toBe("MetadataTooLarge");
  expect((await put({ "x-other": "v".repeat(7000) })).status).toBe(200);
  expect(code((await put({ "x-other": "v".repeat(8192) })).text)).toBe("RequestHeaderSectionTooLarge");
});

test("counts metadata in bytes and answers the bytes that came", async ({ sandbox }) => {
  const bytes = (text: string) => Buffer.from(text).toString("latin1");
  const disposition = 'attachment; filename="naïve – 文.txt"';
  const headers = { "x-amz-meta-name": bytes("Zoë"), "content-disposition": bytes(disposition) };
  expect((await raw(sandbox, { method: "PUT", path: "/docs/a", body: "x", headers })).text).toBe("");
  expect(sandbox.object("docs", "a")).toMatchObject({
    metadata: { name: "Zoë" },
    headers: { "content-disposition": disposition },
  });
  const read = await raw(sandbox, { path: "/docs/a" });
  expect(read.headers).toMatchObject(headers);
  sandbox.put("docs", "b", "x", { metadata: { name: "Zoë" }, headers: { "content-disposition": disposition } });
  expect((await raw(sandbox, { path: "/docs/b" })).headers).toMatchObject(headers);
  const tooLong = await raw(sandbox, {
    method: "PUT",
    path: "/docs/c",
    body: "x",
    headers: { "x-amz-meta-a": bytes("ë".repeat(1024)) },
  });
  expect(code(tooLong.text)).toBe("MetadataTooLarge");
});

test("an unknown expectation is ignored, as S3 does", async ({ sandbox }) => {
  const answer = await raw(sandbox, { method: "PUT", path: "/docs/a", body: "x", headers: { expect: "200" } });
  expect(answer.status).toBe(200);
});
