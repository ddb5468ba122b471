import type { Readable } from "node:stream";
import type { PlacedContent } from "../model/content/placed.ts";
import type { DocumentPointer } from "../model/entities.ts";

export type DocumentSource = Readable | AsyncIterable<Uint8Array | string> | Uint8Array | string;

/**
 * What is said of a document that is written.
 *
 * @example
 * const options: import("bucketline").WriteOptions = { name: "a.pdf", contentType: "application/pdf", ttl: 3600, size: 5 };
 * await producer.documents.write("hello", options);
 */
export type WriteOptions = {
  /** For people; at most 1,024 characters. Never becomes part of a path. */
  readonly name: string;
  /** Default `application/octet-stream`. */
  readonly contentType?: string | undefined;
  /** Seconds until the sweeper may remove it; default 86,400 (a day). */
  readonly ttl?: number | undefined;
  /** Default true. */
  readonly deleteAfterDownload?: boolean | undefined;
  /** A deterministic id: writing it again replaces the document whole. Default: a random one. */
  readonly id?: string | undefined;
  /** Bytes that must come; fewer or more is `DocumentIncomplete`. */
  readonly size?: number | undefined;
  /**
   * By this name {@link DocumentStore.writePlaced} finds what a write left that was killed, or that failed of what may be tried again. It goes on with
   * it only where the whole is compared with its origin: after a power cut nobody else vouches for those bytes. Default: nothing can be found.
   */
  readonly leftoverName?: string | undefined;
  readonly signal?: AbortSignal | undefined;
};

/**
 * How a document is read.
 *
 * @example
 * const options: import("bucketline").ReadOptions = { keep: true };
 * const document = await producer.documents.write("hello", { name: "hello.txt" });
 * (await producer.documents.read(document, options)).pipe(process.stdout);
 */
export type ReadOptions = {
  /** Leave the document where it is, whatever its pointer says. Default false. */
  readonly keep?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** Where the content of objects lies outside S3. File store and S3 store pass one conformance suite. */
export type DocumentStore = {
  /** For people and logs; holds no secret. */
  readonly location: string;
  /**
   * Hashes, counts, makes durable, then visible: no half document is ever seen. Throws `DiskFull` (retryable), `DocumentIncomplete`.
   *
   * @example
   * const pointer = await store.write("hello", { name: "hello.txt" });
   * console.log(pointer.id, pointer.sha256);
   */
  write(source: DocumentSource, options: WriteOptions): Promise<DocumentPointer>;
  /**
   * As `write`, of content whose pieces come several at once and in no order, and go on from what an interrupted write of `leftoverName` left. For
   * workers; a store that can write only from the beginning on has no such method.
   *
   * @example
   * const content = {
   *   size: 2,
   *   deliver: async (have: readonly unknown[], place: (chunks: readonly Uint8Array[], at: number) => Promise<void>) => {
   *     await place([Buffer.from("b")], 1);
   *     await place([Buffer.from("a")], 0);
   *   },
   *   release: () => undefined,
   * };
   * console.log((await store.writePlaced?.(content, { name: "ab.txt" }))?.size);
   */
  writePlaced?(content: PlacedContent, options: WriteOptions): Promise<DocumentPointer>;
  /**
   * The content. The stream errors with `DocumentCorrupt` where size or sha256 differ from the pointer (rejects with it where that is known before
   * the first byte); only a complete, verified read deletes a `deleteAfterDownload` document. Rejects with `DocumentNotFound` or `DocumentExpired`.
   *
   * @example
   * const pointer = await store.write("hello", { name: "hello.txt" });
   * for await (const bytes of await store.read(pointer)) process.stdout.write(bytes);
   */
  read(pointer: DocumentPointer, options?: ReadOptions): Promise<Readable>;
  /**
   * The pointer of a document by its id, or `undefined`.
   *
   * @example
   * console.log((await store.find("report-7"))?.size);
   */
  find(id: string, options?: { readonly signal?: AbortSignal }): Promise<DocumentPointer | undefined>;
  /**
   * Already gone counts as deleted.
   *
   * @example
   * await store.delete("report-7");
   */
  delete(id: string, options?: { readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Removes the very document that this pointer names, and never one that replaced it. False where that one is not there (any more).
   *
   * @example
   * const pointer = await store.find("report-7");
   * if (pointer !== undefined) console.log(await store.deleteExact(pointer));
   */
  deleteExact(pointer: DocumentPointer, options?: { readonly signal?: AbortSignal }): Promise<boolean>;
  /**
   * Removes expired documents, and leftovers of writers that died (older than an hour).
   *
   * @example
   * console.log((await store.sweep()).expired);
   */
  sweep(options?: { readonly signal?: AbortSignal }): Promise<{ readonly expired: number; readonly orphans: number }>;
  /**
   * What there is, in no particular order; replaced and damaged ones are left out. Whoever has seen enough just ends the loop.
   *
   * @example
   * for await (const { name, size } of store.list()) console.log(name, size);
   */
  list(options?: { readonly signal?: AbortSignal }): AsyncIterable<DocumentPointer>;
  /**
   * Documents and bytes held.
   *
   * @example
   * const { documents, bytes } = await store.usage();
   * console.log(documents, bytes);
   */
  usage(options?: { readonly signal?: AbortSignal }): Promise<{ readonly documents: number; readonly bytes: number }>;
  /**
   * Closes what it opened; documents stay.
   *
   * @example
   * await store.close();
   */
  close(): Promise<void>;
};
