import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { DocumentStore } from "../documents/document-store.ts";
import type { DocumentPointer } from "../jobs/entities.ts";

/** Where documents are: the URL that the workers have as `DOCUMENTS_URL`, or a store that was opened elsewhere. */
export type DocumentsLocation = string | DocumentStore;

/** The content of objects: what put-object uploads, what get-object and long lists leave behind. */
export type Documents = Pick<DocumentStore, "write" | "read" | "find"> & {
  /** Already gone counts as deleted. */
  delete(document: DocumentPointer | string, options?: { readonly signal?: AbortSignal }): Promise<void>;
};

/** A folder of the machine's temporary ones: for trying things out, with app and workers on one machine. */
export function defaultDocumentsUrl(): string {
  return pathToFileURL(join(tmpdir(), "bucketline-documents")).href;
}

/** Opens the store when it is first used; so the AWS SDK, which the S3 store needs, is loaded only by those who use it. */
export function lazyDocuments(location: DocumentsLocation | undefined): {
  readonly access: Documents;
  close(): Promise<void>;
} {
  const given = typeof location === "object" ? location : undefined;
  let opened: Promise<DocumentStore> | undefined;

  return {
    access: {
      write: async (source, options) => await (await store()).write(source, options),
      read: async (pointer, options) => await (await store()).read(pointer, options),
      find: async (id, options) => await (await store()).find(id, options),
      delete: async (document, options) =>
        await (await store()).delete(typeof document === "string" ? document : document.id, options),
    },
    // A store that could not be opened has nothing to close, and whoever used it was told.
    close: async () =>
      await opened?.then(
        (own) => own.close(),
        () => {},
      ),
  };

  async function store(): Promise<DocumentStore> {
    if (given) return given;
    opened ??= open(typeof location === "string" ? location : defaultDocumentsUrl());
    return await opened;
  }
}

async function open(url: string): Promise<DocumentStore> {
  const { openDocumentStore } = await import("../documents/open-document-store.ts");
  return await openDocumentStore(url);
}
