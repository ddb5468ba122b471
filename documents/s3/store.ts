import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { checkDocumentId } from "../draft.ts";
import type { DocumentStore } from "../interface.ts";
import type { S3Bucket } from "./bucket.ts";
import { deleteExact, findDocument, readDocument } from "./read.ts";
import type { S3Settings } from "./settings.ts";
import { isNoObject, s3StoreError, unbelievable } from "./error.ts";
import type { S3Room } from "./room.ts";
import { deleteDocument } from "./records.ts";
import { measure, sweep } from "./sweep.ts";
import { writeDocument } from "./write.ts";
import { silentLog, type StoreLog } from "../store-log.ts";

export type S3StoreOptions = {
  readonly bucket: string;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
  readonly settings: S3Settings;
  /** The profile of the AWS configuration files, where the settings have no credentials. */
  readonly profile?: string | undefined;
  readonly log?: StoreLog | undefined;
  /** Milliseconds since 1970; for tests. */
  readonly now?: (() => number) | undefined;
};

/** Documents in a bucket, for apps and workers on different machines. Opening sends nothing. */
export function openS3Store(options: S3StoreOptions): DocumentStore {
  const { prefix, log = silentLog, now = Date.now } = options;
  const location = `s3://${options.bucket}/${prefix}`;
  const room: S3Room = { bucket: sdkBucket(options, location), prefix, location, log, now };
  return {
    location,
    write: (source, write) => writeDocument(room, source, write),
    read: (pointer, read) => readDocument(room, pointer, read),
    find: (id, call = {}) => findDocument(room, id, call),
    async delete(id, { signal } = {}) {
      checkDocumentId(id);
      await deleteDocument(room, id, signal);
    },
    deleteExact: (pointer, call = {}) => deleteExact(room, pointer, call),
    sweep: (call = {}) => sweep(room, call),
    usage: (call = {}) => measure(room, call),
    close: async () => room.bucket.close(),
  };
}

function createClient({ settings, profile }: S3StoreOptions): S3Client {
  const { credentials, region, endpoint, pathStyle = endpoint !== undefined } = settings;
  return new S3Client({
    ...(credentials !== undefined && { credentials }),
    ...(credentials === undefined && profile !== undefined && { profile }),
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    forcePathStyle: pathStyle,
    followRegionRedirects: true,
    maxAttempts: 4,
    // The default CRC32 breaks some compatible stores; Content-MD5 and our own sha256 do its work everywhere.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: 5_000,
      // Until the answer begins, so a whole part must go out in it. Without `throw` it would only warn.
      requestTimeout: 120_000,
      throwOnRequestTimeout: true,
      // The only one that ends a body which stalls.
      socketTimeout: 30_000,
      httpAgent: { maxSockets: 128 },
      httpsAgent: { maxSockets: 128 },
    },
  });
}

/** The bucket through the AWS SDK: the one place of the documents room that speaks to it. */
function sdkBucket(options: S3StoreOptions, location: string): S3Bucket {
  const client = createClient(options);
  const { expectedBucketOwner } = options.settings;
  const at = { Bucket: options.bucket, ...(expectedBucketOwner && { ExpectedBucketOwner: expectedBucketOwner }) };

  const run = async <T>(doing: string, signal: AbortSignal | undefined, request: () => Promise<T>): Promise<T> => {
    signal?.throwIfAborted();
    try {
      return await request();
    } catch (error) {
      signal?.throwIfAborted();
      throw s3StoreError(error, location, doing);
    }
  };
  const requireETag = (etag: string | undefined, doing: string): string => {
    // A 200 with a proxy's page or an error in it resolves like a success; only the ETag tells.
    if (etag === undefined || etag === "") throw unbelievable(location, doing, "the answer has no ETag");
    return etag;
  };

  return {
    put: (key, bytes, contentType, { signal }) =>
      run("store an object", signal, async () => {
        const command = new PutObjectCommand({
          ...at,
          Key: key,
          Body: bytes,
          ContentType: contentType,
          ContentMD5: md5(bytes),
        });
        requireETag((await client.send(command, abortable(signal))).ETag, "store an object");
      }),

    get: (key, from, { signal }) =>
      run("read an object", signal, async () => {
        const command = new GetObjectCommand({ ...at, Key: key, ...(from > 0 && { Range: `bytes=${from}-` }) });
        const answer = await orNoObject(client.send(command, abortable(signal)));
        if (answer === undefined) return undefined;
        const { Body: body, ContentLength: length } = answer;
        if (!(body instanceof Readable)) throw unbelievable(location, "read an object", "the answer has no body");
        // The reader sees it when it comes to it; before, an error without a listener would end the process.
        body.on("error", () => undefined);
        const ranged = answer.ContentRange?.startsWith(`bytes ${from}-`) === true;
        if (answer.ETag !== undefined && length !== undefined && (from === 0 || ranged))
          return { body, size: from + length };
        body.destroy();
        throw unbelievable(location, "read an object", "the answer is not the object that was asked for");
      }),

    size: (key, { signal }) =>
      run("look at an object", signal, async () => {
        const answer = await orNoObject(client.send(new HeadObjectCommand({ ...at, Key: key }), abortable(signal)));
        if (answer === undefined) return undefined;
        requireETag(answer.ETag, "look at an object");
        return answer.ContentLength ?? 0;
      }),

    delete: (key, { signal }) =>
      run("delete an object", signal, async () => {
        await orNoObject(client.send(new DeleteObjectCommand({ ...at, Key: key }), abortable(signal)));
      }),

    async *list(prefix, { signal }) {
      let token: string | undefined;
      do {
        const command = new ListObjectsV2Command({ ...at, Prefix: prefix, ...(token && { ContinuationToken: token }) });
        const page = await run("list objects", signal, () => client.send(command, abortable(signal)));
        // An empty or foreign 200 resolves as an empty page: everything would look like an orphan, or like nothing at all.
        if (page.IsTruncated === undefined || page.Name !== options.bucket)
          throw unbelievable(location, "list objects", "the answer is not a listing of the bucket");
        for (const { Key: key, Size: size = 0, LastModified: time } of page.Contents ?? [])
          if (key !== undefined && time !== undefined) yield { key, size, lastModified: time.getTime() };
        token = page.IsTruncated ? page.NextContinuationToken : undefined;
        if (page.IsTruncated && token === undefined)
          throw unbelievable(location, "list objects", "a page says that more follow, but not where");
      } while (token !== undefined);
    },

    startUpload: (key, contentType, { signal }) =>
      run("begin an upload", signal, async () => {
        const command = new CreateMultipartUploadCommand({ ...at, Key: key, ContentType: contentType });
        const { UploadId: uploadId } = await client.send(command, abortable(signal));
        if (!uploadId) throw unbelievable(location, "begin an upload", "the answer has no upload id");
        return uploadId;
      }),

    uploadPart: ({ key, uploadId, number, bytes }, { signal }) =>
      run("upload a part", signal, async () => {
        const command = new UploadPartCommand({
          ...at,
          Key: key,
          UploadId: uploadId,
          PartNumber: number,
          Body: bytes,
          ContentMD5: md5(bytes),
        });
        return requireETag((await client.send(command, abortable(signal))).ETag, "upload a part");
      }),

    completeUpload: (key, uploadId, etags, { signal }) =>
      run("complete an upload", signal, async () => {
        const parts = etags.map((etag, index) => ({ ETag: etag, PartNumber: index + 1 }));
        const command = new CompleteMultipartUploadCommand({
          ...at,
          Key: key,
          UploadId: uploadId,
          MultipartUpload: { Parts: parts },
        });
        requireETag((await client.send(command, abortable(signal))).ETag, "complete an upload");
      }),

    abortUpload: (key, uploadId, { signal }) =>
      run("abort an upload", signal, async () => {
        const command = new AbortMultipartUploadCommand({ ...at, Key: key, UploadId: uploadId });
        await orNoObject(client.send(command, abortable(signal)));
      }),

    async *uploads(prefix, { signal }) {
      let next: { KeyMarker: string; UploadIdMarker: string } | undefined;
      do {
        const command = new ListMultipartUploadsCommand({ ...at, Prefix: prefix, ...next });
        const page = await run("list uploads", signal, () => client.send(command, abortable(signal)));
        if (page.Bucket !== options.bucket)
          throw unbelievable(location, "list uploads", "the answer is not a listing of the bucket");
        for (const { Key: key, UploadId: uploadId, Initiated: time } of page.Uploads ?? [])
          if (key !== undefined && uploadId !== undefined && time !== undefined)
            yield { key, uploadId, initiated: time.getTime() };
        const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
        next = page.IsTruncated && KeyMarker && UploadIdMarker ? { KeyMarker, UploadIdMarker } : undefined;
      } while (next !== undefined);
    },

    async newestPart(key, uploadId, { signal }) {
      let newest: number | undefined;
      let marker: string | undefined;
      do {
        const command = new ListPartsCommand({
          ...at,
          Key: key,
          UploadId: uploadId,
          ...(marker && { PartNumberMarker: marker }),
        });
        const page = await run("list parts", signal, () => orNoObject(client.send(command, abortable(signal))));
        for (const { LastModified: time } of page?.Parts ?? [])
          if (time !== undefined) newest = Math.max(newest ?? 0, time.getTime());
        marker = page?.IsTruncated === true ? page.NextPartNumberMarker : undefined;
      } while (marker !== undefined);
      return newest;
    },

    close: () => client.destroy(),
  };
}

function abortable(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

async function orNoObject<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isNoObject(error)) return undefined;
    throw error;
  }
}

function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("base64");
}
