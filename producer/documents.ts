import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import type { DocumentStore } from "../documents/interface.ts";
import { DocumentsUrl } from "../documents/location.ts";
import type { OpenDocumentStoreOptions } from "../documents/open.ts";
import type { DocumentPointer } from "../model/entities.ts";
import { parseOptions } from "../jobs/parse-input.ts";

/** Where documents are: the URL that the workers have as `DOCUMENTS_URL`, one with options, or a store that was opened elsewhere. */
export type DocumentsLocation = string | DocumentStore | ({ readonly url: string } & OpenDocumentStoreOptions);

export const DocumentsSetting = z
  .custom<DocumentsLocation>((value) => typeof value === "string" || (typeof value === "object" && value !== null), {
    error: "expected a URL, options with one, or an open document store",
  })
  .superRefine((location, context) => {
    const url = typeof location === "object" && "url" in location ? location.url : location;
    if (typeof url !== "string") return;
    for (const { message } of DocumentsUrl.safeParse(url).error?.issues ?? []) context.addIssue(message);
  });

/** The content of objects: what put-object uploads, what get-object and long lists leave behind. */
export type Documents = Pick<DocumentStore, "write" | "read" | "find"> & {
  /**
   * Already gone counts as deleted.
   *
   * @example
   * const document = await producer.documents.write("hello", { name: "hello.txt" });
   * await producer.documents.delete(document);
   */
  delete(document: DocumentPointer | string, options?: { readonly signal?: AbortSignal }): Promise<void>;
};

/** The store checks the rest against what it holds. */
const Pointer = z.looseObject({ id: z.string() }, { error: "expected the pointer that the write resolved to" });

/** The workers' own default: a folder below the working directory, for an app and a worker that are started in one place. */
function defaultUrl(): string {
  return pathToFileURL(resolve(".bucketline/documents")).href;
}

/** Opens the store when it is first used; so the AWS SDK, which the S3 store needs, is loaded only by those who use it. */
export function lazyDocuments(location: DocumentsLocation | undefined): {
  readonly access: Documents;
  close(): Promise<void>;
} {
  let opened: Promise<DocumentStore> | undefined;

  return {
    access: {
      write: async (source, options) => await (await store()).write(source, options),
      read: async (pointer, options) => {
        parseOptions("read a document", Pointer, pointer);
        return await (await store()).read(pointer, options);
      },
      find: async (id, options) => await (await store()).find(id, options),
      delete: async (document, options) => {
        const id = typeof document === "string" ? document : parseOptions("delete a document", Pointer, document).id;
        await (await store()).delete(id, options);
      },
    },
    // A store that could not be opened has nothing to close, and whoever used it was told.
    close: async () =>
      await opened?.then(
        (own) => own.close(),
        () => {},
      ),
  };

  async function store(): Promise<DocumentStore> {
    if (typeof location === "object" && !("url" in location)) return location;
    const url = typeof location === "object" ? location.url : (location ?? defaultUrl());
    const opening = (opened ??= open(url, typeof location === "object" ? location : {}));
    try {
      return await opening;
    } catch (error) {
      // What kept it from opening may be over when it is used the next time.
      if (opened === opening) opened = undefined;
      throw error;
    }
  }
}

async function open(url: string, options: OpenDocumentStoreOptions): Promise<DocumentStore> {
  const { openDocumentStore } = await import("../documents/open.ts");
  return await openDocumentStore(url, options);
}
