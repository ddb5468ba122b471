import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { openDocumentStore } from "../documents/open.ts";
import { setUp } from "./protocol-worker.fixture.ts";

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "bucketline-producer-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

test("documents are written, read once, found and deleted", async () => {
  const { producer } = setUp({ documents: { url: pathToFileURL(await folder()).href } });
  const document = await producer.documents.write("hello", { name: "a.txt", contentType: "text/plain" });
  expect(document).toMatchObject({ name: "a.txt", size: 5, contentType: "text/plain", deleteAfterDownload: true });
  expect(await producer.documents.find(document.id)).toEqual(document);
  expect(await text(await producer.documents.read(document, { keep: true }))).toBe("hello");
  await producer.documents.delete(document);
  await producer.documents.delete(document);
  await expect(producer.documents.read(document)).rejects.toMatchObject({ code: "DocumentNotFound" });
});

test("a store that was opened elsewhere is used, and left open", async () => {
  const store = await openDocumentStore(pathToFileURL(await folder()).href);
  onTestFinished(() => store.close());
  const { producer } = setUp({ documents: store });
  const document = await producer.documents.write("hello", { name: "a.txt" });
  await producer.close();
  expect(await store.find(document.id)).toEqual(document);
});

test("a store that could not be opened is opened once it can be", async () => {
  const dir = join(await folder(), "documents");
  await writeFile(dir, "in the way");
  const { producer } = setUp({ documents: pathToFileURL(dir).href });
  await expect(producer.documents.write("hello", { name: "a.txt" })).rejects.toMatchObject({ name: "ActivityError" });
  await rm(dir);
  expect(await producer.documents.write("hello", { name: "a.txt" })).toMatchObject({ size: 5 });
});

test.each(["ftp://key:secret@host/dir", { url: "file:dir" }])(
  "a URL of no document store is refused at once: %j",
  (documents) => {
    expect(() => setUp({ documents })).toThrow(/^InvalidInput: createProducer: documents: expected file:(?!.*secret)/);
  },
);

test.each<[string, unknown]>([
  ["no options", undefined],
  ["null", null],
  ["a misspelt option", { name: "a.txt", contenttype: "text/plain" }],
  ["no name", {}],
  ["a ttl that is no number", { name: "a.txt", ttl: "60" }],
])("a write with %s is refused", async (_what, options) => {
  const { producer } = setUp({ documents: pathToFileURL(await folder()).href });
  // Wrong on purpose: what a caller without types may pass.
  await expect(producer.documents.write("hello", options as { name: string })).rejects.toMatchObject({
    code: "InvalidInput",
    field: expect.any(String) as string,
  });
});

test.each([undefined, null, 7, {}])("%j is no document to read or to delete", async (document) => {
  const { producer } = setUp({ documents: pathToFileURL(await folder()).href });
  const pointer = document as never; // wrong on purpose
  await expect(producer.documents.read(pointer)).rejects.toMatchObject({ code: "InvalidInput" });
  await expect(producer.documents.delete(pointer)).rejects.toMatchObject({ code: "InvalidInput" });
});
