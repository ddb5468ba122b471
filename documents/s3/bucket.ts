import type { Readable } from "node:stream";

type Call = { readonly signal?: AbortSignal | undefined };

export type ListedObject = { readonly key: string; readonly size: number; readonly lastModified: number };
export type ListedUpload = { readonly key: string; readonly uploadId: string; readonly initiated: number };
export type Fetched = {
  /** The caller reads it to its end or destroys it. */
  readonly body: Readable;
  /** Bytes of the whole object, also where only its rest was asked for. */
  readonly size: number;
};

/**
 * What the document store asks of a bucket. Every answer is checked before it is believed; every failure is an ActivityError, or the
 * signal's reason. Times are milliseconds since 1970.
 */
export type S3Bucket = {
  put(key: string, bytes: Uint8Array, contentType: string, call: Call): Promise<void>;
  /** From byte `from` on; `undefined` where there is no object. */
  get(key: string, from: number, call: Call): Promise<Fetched | undefined>;
  /** Bytes; `undefined` where there is no object. */
  size(key: string, call: Call): Promise<number | undefined>;
  /** Already gone is as good. */
  delete(key: string, call: Call): Promise<void>;
  list(prefix: string, call: Call): AsyncGenerator<ListedObject>;
  startUpload(key: string, contentType: string, call: Call): Promise<string>;
  /** The part's ETag. */
  uploadPart(part: UploadedPart & { readonly bytes: Uint8Array }, call: Call): Promise<string>;
  /** `etags` in the order of the parts. */
  completeUpload(key: string, uploadId: string, etags: readonly string[], call: Call): Promise<void>;
  /** Already ended is as good. */
  abortUpload(key: string, uploadId: string, call: Call): Promise<void>;
  uploads(prefix: string, call: Call): AsyncGenerator<ListedUpload>;
  /** When the newest part came; `undefined` where there is none. */
  newestPart(key: string, uploadId: string, call: Call): Promise<number | undefined>;
  close(): void;
};

export type UploadedPart = { readonly key: string; readonly uploadId: string; readonly number: number };
