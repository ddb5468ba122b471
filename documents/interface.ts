import type { Readable } from "node:stream";
import type { DocumentPointer } from "../model/entities.ts";

export type DocumentSource = Readable | AsyncIterable<Uint8Array | string> | Uint8Array | string;

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
   * By this name {@link DocumentStore.leftover} finds what a write left that was killed, or that failed of what may be tried again. Whoever gives it
   * compares the whole with its origin: after a power cut nobody else vouches for those bytes. Default: nothing can be found.
   */
  readonly leftoverName?: string | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** The first bytes of content whose write was interrupted. */
export type Leftover = {
  /** Bytes that are there. */
  readonly size: number;
  /** The first `length` of them. */
  read(length: number): AsyncIterable<Uint8Array>;
};

export type ReadOptions = {
  /** Leave the document where it is, whatever its pointer says. Default false. */
  readonly keep?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** Where the content of objects lies outside S3. File store and S3 store pass one conformance suite. */
export type DocumentStore = {
  /** For people and logs; holds no secret. */
  readonly location: string;
  /** Hashes, counts, makes durable, then visible: no half document is ever seen. Throws `DiskFull` (retryable), `DocumentIncomplete`. */
  write(source: DocumentSource, options: WriteOptions): Promise<DocumentPointer>;
  /**
   * The content. The stream errors with `DocumentCorrupt` where size or sha256 differ from the pointer (rejects with it where that is known before
   * the first byte); only a complete, verified read deletes a `deleteAfterDownload` document. Rejects with `DocumentNotFound` or `DocumentExpired`.
   */
  read(pointer: DocumentPointer, options?: ReadOptions): Promise<Readable>;
  /** What an interrupted write of this name left, for an hour. A store that keeps none has no such method. */
  leftover?(name: string): Promise<Leftover | undefined>;
  /** The pointer of a document by its id, or `undefined`. */
  find(id: string, options?: { readonly signal?: AbortSignal }): Promise<DocumentPointer | undefined>;
  /** Already gone counts as deleted. */
  delete(id: string, options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Removes the very document that this pointer names, and never one that replaced it. False where that one is not there (any more). */
  deleteExact(pointer: DocumentPointer, options?: { readonly signal?: AbortSignal }): Promise<boolean>;
  /** Removes expired documents, and leftovers of writers that died (older than an hour). */
  sweep(options?: { readonly signal?: AbortSignal }): Promise<{ readonly expired: number; readonly orphans: number }>;
  /** What there is, in no particular order; replaced and damaged ones are left out. Whoever has seen enough just ends the loop. */
  list(options?: { readonly signal?: AbortSignal }): AsyncIterable<DocumentPointer>;
  /** Documents and bytes held. */
  usage(options?: { readonly signal?: AbortSignal }): Promise<{ readonly documents: number; readonly bytes: number }>;
  close(): Promise<void>;
};
