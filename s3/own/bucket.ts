import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { unproven } from "../error-mapping.ts";
import { openUpload } from "../parts/open-upload.ts";
import { partTimeout } from "../parts/run.ts";
import { sendPart } from "../parts/send-one.ts";
import { sdkPage } from "../requests/listings/proven.ts";
import { openObject } from "../requests/open-object.ts";
import { type Ask, createAsk, orNothing, type OwnCall } from "./ask.ts";
import type { OwnSettings } from "./settings.ts";
import { openOwnStore } from "./store.ts";
import { abortUpload, type ListedUpload, listUploads, newestPart } from "./uploads.ts";

export type ListedObject = { readonly key: string; readonly size: number; readonly lastModified: number };
export type UploadedPart = { readonly key: string; readonly uploadId: string; readonly number: number };
export type Fetched = {
  /** The caller reads it to its end or destroys it. */
  readonly body: Readable;
  /** Bytes of the whole object, also where only its rest was asked for. */
  readonly size: number;
};

/**
 * A bucket that Bucketline keeps things of its own in, such as documents: keys are its own, and written once. Every answer is checked before it is
 * believed; every failure is an ActivityError, or the signal's reason. Times are milliseconds since 1970.
 */
export type OwnBucket = {
  put(key: string, bytes: Uint8Array, contentType: string, call: OwnCall): Promise<void>;
  /** From byte `from` on; `undefined` where there is no object. */
  get(key: string, from: number, call: OwnCall): Promise<Fetched | undefined>;
  /** Bytes; `undefined` where there is no object. */
  size(key: string, call: OwnCall): Promise<number | undefined>;
  /** Already gone is as good. */
  delete(key: string, call: OwnCall): Promise<void>;
  list(prefix: string, call: OwnCall): AsyncGenerator<ListedObject>;
  startUpload(key: string, contentType: string, call: OwnCall): Promise<string>;
  /** The part's ETag. */
  uploadPart(part: UploadedPart & { readonly bytes: Uint8Array }, call: OwnCall): Promise<string>;
  /** `etags` in the order of the parts. */
  completeUpload(key: string, uploadId: string, etags: readonly string[], call: OwnCall): Promise<void>;
  /** Already ended is as good. */
  abortUpload(key: string, uploadId: string, call: OwnCall): Promise<void>;
  uploads(prefix: string, call: OwnCall): AsyncGenerator<ListedUpload>;
  /** When the newest part came; `undefined` where there is none. */
  newestPart(key: string, uploadId: string, call: OwnCall): Promise<number | undefined>;
  close(): void;
};

export type OwnBucketOptions = {
  readonly bucket: string;
  readonly settings: OwnSettings;
  /** The profile of the AWS configuration files, where the settings have no credentials. */
  readonly profile?: string | undefined;
  /** What an error becomes before it is thrown. */
  readonly failure: (error: unknown, doing: string) => unknown;
};

/** Opens it; sends nothing. */
export async function openOwnBucket({ bucket, settings, profile, failure }: OwnBucketOptions): Promise<OwnBucket> {
  const store = await openOwnStore(settings, profile);
  const ask = createAsk(store, bucket, failure);
  return {
    put: (key, bytes, contentType, call) => put(ask, { key, bytes, contentType }, call),
    get: (key, from, call) => get(ask, key, from, call),
    size: (key, call) => sizeOf(ask, key, call),
    async delete(key, call) {
      const make = () => new DeleteObjectCommand({ ...ask.at, Key: key });
      await orNothing(ask.send("delete an object", make, { operation: "DeleteObject", key }, call));
    },
    list: (prefix, call) => list(ask, prefix, call),
    startUpload: (key, contentType, call) => startUpload(ask, key, contentType, call),
    uploadPart: (part, call) => uploadPart(ask, part, call),
    completeUpload: (key, uploadId, etags, call) => completeUpload(ask, { key, uploadId, etags }, call),
    abortUpload: (key, uploadId, call) => abortUpload(ask, key, uploadId, call),
    uploads: (prefix, call) => listUploads(ask, prefix, call),
    newestPart: (key, uploadId, call) => newestPart(ask, key, uploadId, call),
    close: () => store.clients.close(),
  };
}

type Small = { readonly key: string; readonly bytes: Uint8Array; readonly contentType: string };

async function put(ask: Ask, { key, bytes, contentType }: Small, call: OwnCall): Promise<void> {
  const digest = { ContentMD5: md5(bytes).toString("base64"), ContentLength: bytes.length };
  const make = () => new PutObjectCommand({ ...ask.at, ...digest, Key: key, Body: bytes, ContentType: contentType });
  const limits = { timeoutMs: partTimeout(ask.store, bytes.length) };
  await ask.proven("store an object", make, { operation: "PutObject", key }, call, limits);
}

async function get(
  { store, bucket, run }: Ask,
  key: string,
  from: number,
  call: OwnCall,
): Promise<Fetched | undefined> {
  const range = from > 0 ? { start: from } : undefined;
  return await orNothing(
    run("read an object", call, async (signal) => {
      const opened = await openObject(store, { object: { bucket, key }, range }, { signal });
      if (range === undefined || opened.ranged) return { body: opened.body, size: from + opened.size };
      opened.body.destroy();
      throw unproven({ operation: "GetObject", bucket, key }, `the bytes from ${from} on`, 200);
    }),
  );
}

async function sizeOf(ask: Ask, key: string, call: OwnCall): Promise<number | undefined> {
  const make = () => new HeadObjectCommand({ ...ask.at, Key: key });
  const answer = await orNothing(ask.proven("look at an object", make, { operation: "HeadObject", key }, call));
  return answer && (answer.ContentLength ?? 0);
}

async function* list({ store, bucket, run }: Ask, prefix: string, call: OwnCall): AsyncGenerator<ListedObject> {
  let next: string | undefined;
  do {
    const from = next === undefined ? {} : { continuationToken: next };
    const page = await run("list objects", call, (signal) => sdkPage(store, { bucket, prefix, ...from }, { signal }));
    for (const { key, size, lastModified } of page.objects) yield { key, size, lastModified: Date.parse(lastModified) };
    next = page.next;
  } while (next !== undefined);
}

async function startUpload(
  { store, bucket, at, run }: Ask,
  key: string,
  contentType: string,
  call: OwnCall,
): Promise<string> {
  const make = () => new CreateMultipartUploadCommand({ ...at, Key: key, ContentType: contentType });
  const opened = await run("begin an upload", call, (signal) => openUpload(store, { bucket, key }, make, signal));
  return opened.UploadId;
}

async function uploadPart(
  { store, bucket, run }: Ask,
  { key, uploadId, number, bytes }: UploadedPart & { readonly bytes: Uint8Array },
  call: OwnCall,
): Promise<string> {
  const target = { store, request: { bucket, key, attributes: {} } };
  const part = { number, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), md5: md5(bytes) };
  return (await run("upload a part", call, (signal) => sendPart(target, { uploadId }, part, { signal }))).ETag;
}

type Parts = { readonly key: string; readonly uploadId: string; readonly etags: readonly string[] };

async function completeUpload(ask: Ask, { key, uploadId, etags }: Parts, call: OwnCall): Promise<void> {
  const parts = etags.map((etag, index) => ({ ETag: etag, PartNumber: index + 1 }));
  const upload = { Key: key, UploadId: uploadId, MultipartUpload: { Parts: parts } };
  const make = () => new CompleteMultipartUploadCommand({ ...ask.at, ...upload });
  await ask.proven("complete an upload", make, { operation: "CompleteMultipartUpload", key }, call);
}

function md5(bytes: Uint8Array): Buffer {
  return createHash("md5").update(bytes).digest();
}
