import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DocumentStore } from "../../documents/interface.ts";
import { openDocumentStore } from "../../documents/open.ts";
import { encodeManifest, manifestOfListing } from "../state/chunk-manifest.ts";
import { findKeptPage, keepPage, openOnce } from "./kept-page.ts";

const { signal } = new AbortController();
let folder: string;
let documents: DocumentStore;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bucketline-pages-"));
  documents = await openDocumentStore(pathToFileURL(folder).href);
});
afterAll(async () => {
  await documents.close();
  await rm(folder, { recursive: true, force: true });
});

const page = { run: "1.abc", cursor: '{"after":"k"}', last: false, filtered: 3 };
const ref = { batch: "b1234567", chain: 2, n: 7 };

test("a kept page is found by its run of the batch, and by no other", async () => {
  const manifest = await encodeManifest({ ...manifestOfListing("in", []), page });
  await keepPage(documents, { ref, manifest }, { signal });
  expect(await findKeptPage(documents, { ref, run: "1.abc", signal })).toMatchObject({ page });
  expect(await findKeptPage(documents, { ref, run: "1.abd", signal })).toBeUndefined();
  expect(await findKeptPage(documents, { ref: { ...ref, n: 8 }, run: "1.abc", signal })).toBeUndefined();
});

test("the source of a batch is shared out once, and for each record anew", async () => {
  const open = (cursor: string) => () => Promise.resolve({ cursors: [cursor] });
  expect(await openOnce(documents, { batch: "b1", nonce: "one", signal }, open("first"))).toEqual({
    cursors: ["first"],
  });
  expect(await openOnce(documents, { batch: "b1", nonce: "one", signal }, open("later"))).toEqual({
    cursors: ["first"],
  });
  expect(await openOnce(documents, { batch: "b1", nonce: "two", signal }, open("other"))).toEqual({
    cursors: ["other"],
  });
});
