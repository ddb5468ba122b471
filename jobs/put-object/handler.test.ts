import { expect } from "vitest";
import { test } from "../../test/harness.ts";

test("uploads a document with all its attributes and removes the document afterwards", async ({
  sandbox,
  harness,
  run,
}) => {
  sandbox.createBucket("put");
  const { documents } = harness.producer;
  const document = await documents.write("content", { name: "a.txt", contentType: "text/plain" });
  const { object, success } = await run("put-object", {
    bucket: "put",
    document,
    metadata: { by: "me" },
    tags: { kind: "test" },
    storageClass: "STANDARD_IA",
  });
  expect(success).toBe(true);
  expect(object).toMatchObject({ bucket: "put", key: "a.txt", size: 7 });
  expect(sandbox.text("put", "a.txt")).toBe("content");
  expect(sandbox.object("put", "a.txt")).toMatchObject({
    contentType: "text/plain",
    metadata: { by: "me" },
    tags: { kind: "test" },
    storageClass: "STANDARD_IA",
  });
  await expect(documents.read(document)).rejects.toMatchObject({ code: "DocumentNotFound" });
});

test("keeps a document that is to stay, whatever its pointer says", async ({ sandbox, harness, run }) => {
  sandbox.createBucket("put-kept");
  const { documents } = harness.producer;
  const document = await documents.write("content", { name: "a.txt", deleteAfterDownload: false });
  await run("put-object", { bucket: "put-kept", document: { ...document, deleteAfterDownload: true } });
  expect(sandbox.text("put-kept", "a.txt")).toBe("content");
  expect(await documents.find(document.id)).toEqual(document);
});

test("keeps the document where the upload fails", async ({ harness, run }) => {
  const { documents } = harness.producer;
  const document = await documents.write("content", { name: "a.txt" });
  await expect(run("put-object", { bucket: "no-such-bucket", document })).rejects.toMatchObject({
    code: "NoSuchBucket",
  });
  expect(await documents.read(document, { keep: true })).toBeDefined();
});

test("writes nothing over an object where ifNoneMatch says so", async ({ sandbox, harness, run }) => {
  sandbox.createBucket("once");
  sandbox.put("once", "a", "first");
  const document = await harness.producer.documents.write("second", { name: "a" });
  await expect(run("put-object", { bucket: "once", document, ifNoneMatch: "*" })).rejects.toMatchObject({
    code: "PreconditionFailed",
  });
  expect(sandbox.text("once", "a")).toBe("first");
});

test("refuses a key that a proxy would resolve to another object, before any request", async ({
  sandbox,
  harness,
  run,
}) => {
  const document = await harness.producer.documents.write("x", { name: "a" });
  const calls = sandbox.calls();
  await expect(run("put-object", { bucket: "put", document, key: "a/../b" })).rejects.toMatchObject({
    code: "InvalidInput",
    field: "key",
  });
  expect(sandbox.calls()).toBe(calls);
});
