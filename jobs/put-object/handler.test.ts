import { text } from "node:stream/consumers";
import { expect, onTestFinished } from "vitest";
import { openDocumentStore } from "../../documents/open.ts";
import { createS3 } from "../../s3/create.ts";
import { test } from "../../test/harness.ts";
import { connectionTo } from "../../test/open-s3.ts";
import type { JobContext } from "../handler.ts";
import { parseInput } from "../parse-input.ts";
import { putObject } from "./contract.ts";
import { putObjectHandler } from "./handler.ts";

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
  expect(await text(await documents.read(document, { keep: true }))).toBe("content");
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

test("knows its own upload again where its condition is met no more because of it", async ({
  sandbox,
  harness,
  run,
}) => {
  sandbox.createBucket("own");
  const { etag } = sandbox.put("own", "updated", "version 1");
  for (const [key, condition] of [
    ["created", { ifNoneMatch: "*" as const }],
    ["updated", { ifMatch: etag }],
  ] as const) {
    // It takes effect, its answer is lost, and the attempt cannot find out any more.
    sandbox.fault({ operation: "PutObject", bucket: "own", key, kind: "reset-after", times: 1 });
    const remove = sandbox.after("PutObject", () => {
      remove();
      sandbox.fault({ operation: "HeadObject", bucket: "own", key, kind: "status", status: 500, times: 4 });
    });
    const document = await harness.producer.documents.write(`version 2 of ${key}`, { name: key });
    const { object } = await run("put-object", { bucket: "own", document, ...condition });
    expect(object).toMatchObject({ key, size: `version 2 of ${key}`.length });
    expect(sandbox.calls("PutObject")).toBeGreaterThan(0);
    expect(await harness.producer.documents.find(document.id)).toBeUndefined();
  }
});

test("does not take what others uploaded meanwhile for its own", async ({ sandbox, harness, run }) => {
  sandbox.createBucket("others");
  sandbox.fault({ operation: "PutObject", bucket: "others", kind: "reset", times: 1 });
  const puts = sandbox.calls("PutObject");
  // After the first attempt's own, which never took effect.
  const remove = sandbox.before("HeadObject", ({ bucket }) => {
    if (bucket === "others" && sandbox.calls("PutObject") > puts) sandbox.put("others", "a", "theirs");
  });
  const document = await harness.producer.documents.write("mine!!", { name: "a" });
  const put = run("put-object", { bucket: "others", document, ifNoneMatch: "*" });
  await expect(put).rejects.toMatchObject({ code: "PreconditionFailed" });
  remove();
  expect(sandbox.text("others", "a")).toBe("theirs");
});

test("refuses headers that nothing can carry where it is asked, and names them", async ({ harness }) => {
  const { documents } = harness.producer;
  const plain = await documents.write("x", { name: "a" });
  const odd = { ...plain, contentType: "text/plain\r\nx-amz-acl: public-read" };
  const ask = (more: object) => harness.producer.enqueue("put-object", { bucket: "any", document: plain, ...more });
  for (const [more, field] of [
    [{ document: odd }, "document.contentType"],
    [{ cacheControl: "a\nb" }, "cacheControl"],
    [{ contentDisposition: " a" }, "contentDisposition"],
    [{ expires: "\ud800" }, "expires"],
    [{ websiteRedirect: "elsewhere" }, "websiteRedirect"],
  ] as const)
    await expect(ask(more)).rejects.toMatchObject({ code: "InvalidInput", field });
  // What is said takes the place of the document's.
  await expect(ask({ document: odd, contentType: "text/plain" })).resolves.toBeDefined();
});

test("notes what it uploaded before the document goes", async ({ sandbox, harness }) => {
  sandbox.createBucket("noted");
  const documents = await openDocumentStore(harness.config.documentsUrl);
  onTestFinished(() => documents.close());
  const document = await documents.write("content", { name: "a" });
  const s3 = createS3(connectionTo(sandbox));
  onTestFinished(() => s3.close());
  let noted: boolean | undefined;
  const evidence = {
    copied: async () => undefined,
    recordCopy: async () => void (noted = (await documents.find(document.id)) !== undefined),
  };
  const context = { s3, documents, evidence, progress: () => () => {}, signal: new AbortController().signal };
  // All that the handler uses of its context.
  await putObjectHandler.run(parseInput(putObject, { bucket: "noted", document }), context as unknown as JobContext);
  expect(noted).toBe(true);
  expect(await documents.find(document.id)).toBeUndefined();
});
